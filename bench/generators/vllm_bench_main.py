"""Starts `vllm bench serve` inside the environment that has vLLM. Its own command asks for the metadata of a
package named vllm, which the build for CPUs does not have."""

from vllm.benchmarks.serve import add_cli_args, main
from vllm.utils.argparse_utils import FlexibleArgumentParser

parser = FlexibleArgumentParser()
add_cli_args(parser)
main(parser.parse_args())
