"""How tokens get made: requests, block manager, scheduler, sampler, engine loop, client interface."""
