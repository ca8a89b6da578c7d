// One example for each scenario of the assessment. `system` is the role that the example needs.

export const SUGGESTIONS = {
  en: [
    {
      title: "Role play",
      prompt: "Write a user registration endpoint: check the e-mail address, check the password strength (length, digit, special character), answer in JSON.",
      system: "You are a senior back-end engineer for FastAPI. Answer with code only, no explanation.",
    },
    {
      title: "JSON",
      prompt: "Give me 5 employees as a JSON array: id, name, department (Sales, Legal or Design), salary 8000-25000, join_date YYYY-MM-DD. JSON only.",
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
      prompt: "写一个用户注册接口：验证邮箱、校验密码强度（长度、数字、特殊字符）、返回 JSON。",
      system: "你是一名资深 FastAPI 后端工程师。只输出代码，不要解释。",
    },
    {
      title: "JSON 输出",
      prompt: "生成 5 名员工的 JSON 数组，字段：id、name、department（技术部/财务部/采购部）、salary（8000-25000）、join_date（YYYY-MM-DD）。只输出 JSON。",
    },
    {
      title: "数学推理",
      prompt: "一个水池有两个进水管，A 管单独注满需要 12 小时，B 管单独注满需要 15 小时。A 管先单独开 3 小时，再同时打开两管，还要多少小时注满？",
    },
    {
      title: "代码补全",
      prompt: "写一个 Python 函数 is_palindrome(s)，判断字符串是否为回文，忽略大小写和非字母数字字符。",
    },
    {
      title: "多语言",
      prompt: "怎样用法压壶煮咖啡？请用日语分步骤回答。",
    },
  ],
};

/** A role that an example brought along belongs to that one chat, unlike one that the person wrote. */
export function isSuggestedRole(text) {
  return Object.values(SUGGESTIONS).flat().some((suggestion) => suggestion.system === text);
}
