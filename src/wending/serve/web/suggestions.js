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
      prompt: "Give me 5 employees as a JSON array. Each has id, name, department (one of \"Sales\", \"Legal\", \"Design\"), salary (8000 to 25000) and join_date (YYYY-MM-DD). JSON only.",
    },
    {
      title: "Mathematics",
      prompt: "Two trains are 480 km apart and travel towards each other at 70 km/h and 90 km/h. How many hours until they meet?",
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
      prompt: "两列火车从相距 480 公里的两地同时出发，相向而行，速度分别是 70 公里/小时和 90 公里/小时，多少小时后相遇？",
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
