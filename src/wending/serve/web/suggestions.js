// One example for each scenario of the assessment. `system` is the role that the example needs.

export const SUGGESTIONS = {
  en: [
    {
      title: "Role play",
      prompt: "Write a user registration endpoint with an e-mail check, a password strength check (length, digit, special character) and a JSON answer.",
      system: "You are a senior back-end engineer for FastAPI. Answer with code only, without explanation.",
    },
    {
      title: "JSON",
      prompt: "Generate a JSON array of 5 employees with id, name, department (Engineering, Sales or HR), salary between 8000 and 25000, and join_date as YYYY-MM-DD. JSON only.",
    },
    {
      title: "Mathematics",
      prompt: "Pipe A fills a pool in 12 hours, pipe B in 15 hours. A runs alone for 3 hours, then both run. How many more hours until the pool is full?",
    },
    {
      title: "Code",
      prompt: "Write a Python function is_palindrome(s) that ignores case and all characters that are not letters or digits.",
    },
    {
      title: "Other languages",
      prompt: "Explain in Japanese how to make coffee with a French press, in numbered steps.",
    },
  ],
  zh: [
    {
      title: "角色扮演",
      prompt: "写一个用户注册接口，包含邮箱校验、密码强度校验（长度、数字、特殊字符），返回 JSON。",
      system: "你是一名资深 FastAPI 后端工程师。只输出代码，不要解释。",
    },
    {
      title: "JSON 输出",
      prompt: "生成一个包含 5 名员工的 JSON 数组，字段为 id、name、department（Engineering、Sales 或 HR）、salary（8000 到 25000）、join_date（YYYY-MM-DD）。只输出 JSON。",
    },
    {
      title: "数学推理",
      prompt: "一个水池有两个进水管，A 管单独注满需 12 小时，B 管单独注满需 15 小时。A 管先单独开 3 小时，然后两管同时开，还要多少小时注满？",
    },
    {
      title: "代码补全",
      prompt: "写一个 Python 函数 is_palindrome(s)，判断字符串是否为回文，忽略大小写和非字母数字字符。",
    },
    {
      title: "多语言",
      prompt: "请用日语分步骤说明如何用法压壶冲泡咖啡。",
    },
  ],
};

/** A role that an example brought along belongs to that one chat, unlike one that the person wrote. */
export function isSuggestedRole(text) {
  return Object.values(SUGGESTIONS).flat().some((suggestion) => suggestion.system === text);
}
