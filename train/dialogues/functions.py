# ruff: noqa: E501 (sentences of the data stay on one line)
"""The small Python functions that code completion is trained on: wording, body, and the cases that test them.

In `body` and in the descriptions `{f}` stands for the function's name, `{a}` and `{b}` for its parameters.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Function:
    names: tuple[str, ...]
    parameters: tuple[tuple[tuple[str, ...], str], ...]
    """For each parameter: the names it may have, and its type."""
    returns: str
    english: tuple[str, ...]
    chinese: tuple[str, ...]
    body: str
    cases: tuple[tuple[list[Any], Any], ...]
    header: str = ""


TEXT = (("s", "text", "string", "sentence"), "str")
NUMBER = (("n", "number", "num"), "int")
ITEMS = (("items", "values", "lst", "data"), "list")
NUMBERS = (("nums", "numbers", "values", "xs"), "list[int]")

FUNCTIONS: tuple[Function, ...] = (
    Function(
        ("is_palindrome", "is_palindrome", "check_palindrome", "palindrome"),
        (TEXT,),
        "bool",
        (
            "Return True if {a} is a palindrome, ignoring case and non-alphanumeric characters",
            "Check whether {a} reads the same forwards and backwards; ignore case, spaces and punctuation",
            "Tell if {a} is a palindrome. Case and all characters that are not letters or digits are ignored",
            "Return True if {a} reads the same forwards and backwards, ignoring case and everything that is not a letter or a digit",
        ),
        (
            "判断 {a} 是否为回文，忽略大小写和非字母数字字符",
            "检查字符串 {a} 是否是回文串，忽略大小写、空格和标点",
            "如果 {a} 是回文则返回 True，忽略大小写以及非字母数字的字符",
        ),
        "cleaned = [c.lower() for c in {a} if c.isalnum()]\nreturn cleaned == cleaned[::-1]",
        (
            (["A man, a plan, a canal: Panama"], True),
            (["hello"], False),
            ([""], True),
            (["No lemon, no melon!"], True),
            (["12a"], False),
        ),
    ),
    Function(
        ("factorial", "factorial", "fact", "compute_factorial"),
        (NUMBER,),
        "int",
        (
            "Return the factorial of {a}",
            "Compute {a}!, the product of all integers from 1 to {a}",
            "Return {a} factorial for a non-negative integer {a}",
        ),
        ("返回 {a} 的阶乘", "计算 {a} 的阶乘", "计算非负整数 {a} 的阶乘"),
        "result = 1\nfor i in range(2, {a} + 1):\n    result *= i\nreturn result",
        (([0], 1), ([1], 1), ([5], 120), ([7], 5040)),
    ),
    Function(
        ("gcd", "gcd", "greatest_common_divisor", "compute_gcd"),
        ((("a", "x", "m"), "int"), (("b", "y", "k"), "int")),
        "int",
        (
            "Return the greatest common divisor of {a} and {b}",
            "Compute the greatest common divisor of the two integers {a} and {b}",
            "Find the largest integer that divides both {a} and {b}",
            "Return the greatest common divisor of two integers",
        ),
        (
            "返回 {a} 和 {b} 的最大公约数",
            "计算两个整数 {a} 和 {b} 的最大公约数",
            "求 {a} 与 {b} 的最大公约数",
            "返回两个整数的最大公约数",
            "计算两个数的最大公约数",
        ),
        "while {b}:\n    {a}, {b} = {b}, {a} % {b}\nreturn {a}",
        (([12, 18], 6), ([7, 3], 1), ([10, 5], 5), ([0, 4], 4)),
    ),
    Function(
        ("lcm", "lcm", "least_common_multiple"),
        ((("a", "x", "m"), "int"), (("b", "y", "k"), "int")),
        "int",
        (
            "Return the least common multiple of {a} and {b}",
            "Compute the smallest positive integer that both {a} and {b} divide",
        ),
        ("返回 {a} 和 {b} 的最小公倍数", "计算 {a} 与 {b} 的最小公倍数"),
        "big, small = {a}, {b}\nwhile small:\n    big, small = small, big % small\nreturn {a} * {b} // big",
        (([4, 6], 12), ([3, 5], 15), ([7, 7], 7)),
    ),
    Function(
        ("count_words", "count_words", "word_count", "word_frequency"),
        (TEXT,),
        "dict[str, int]",
        (
            "Return a dictionary that maps each word of {a} to how often it occurs",
            "Count how many times each word occurs in {a}; return a dict",
            "Count the words of {a}, which are separated by spaces, and return a dictionary",
        ),
        (
            "统计 {a} 中每个单词出现的次数，返回字典",
            "返回一个字典，记录 {a} 中每个单词出现的次数",
            "统计字符串 {a} 里各个单词的数量，以字典返回",
        ),
        "counts = {}\nfor word in {a}.split():\n    counts[word] = counts.get(word, 0) + 1\nreturn counts",
        ((["a b a"], {"a": 2, "b": 1}), ([""], {}), (["one two two"], {"one": 1, "two": 2})),
    ),
    Function(
        ("count_words", "count_words", "word_count", "word_frequency"),
        (TEXT,),
        "dict[str, int]",
        (
            "Return a dictionary that maps each word of {a} to how often it occurs. Case is ignored",
            "Count how many times each word occurs in {a}, ignoring case; return a dict",
            "Count the words of {a}, separated by white space, and return a dictionary; case is ignored",
        ),
        (
            "统计 {a} 中每个单词出现的次数，忽略大小写，返回字典",
            "返回一个字典，记录 {a} 中每个单词出现的次数，不区分大小写",
        ),
        "counts = {}\nfor word in {a}.lower().split():\n    counts[word] = counts.get(word, 0) + 1\nreturn counts",
        ((["A b a"], {"a": 2, "b": 1}), ([""], {}), (["One two Two"], {"one": 1, "two": 2})),
    ),
    Function(
        ("most_common_char", "most_common_char", "most_frequent_char", "top_char"),
        (TEXT,),
        "str",
        (
            "Return the character that occurs most often in {a}",
            "Find the most frequent character of {a}",
            "Return the most common character of the string {a}",
        ),
        ("返回 {a} 中出现次数最多的字符", "找出字符串 {a} 中最常见的字符"),
        "counts = {}\nfor c in {a}:\n    counts[c] = counts.get(c, 0) + 1\nreturn max(counts, key=counts.get)",
        ((["hello"], "l"), (["aab"], "a"), (["x"], "x")),
    ),
    Function(
        ("is_prime", "is_prime", "check_prime", "prime"),
        (NUMBER,),
        "bool",
        (
            "Return True if {a} is a prime number",
            "Check whether {a} is prime",
            "Tell whether the integer {a} is a prime number",
        ),
        (
            "判断 {a} 是否为素数",
            "如果 {a} 是质数则返回 True",
            "检查整数 {a} 是不是质数",
            "判断整数 {a} 是否为质数，是则返回 True，否则返回 False",
        ),
        "if {a} < 2:\n    return False\nfor i in range(2, int({a} ** 0.5) + 1):\n    if {a} % i == 0:\n        return False\nreturn True",
        (([1], False), ([2], True), ([9], False), ([97], True), ([0], False)),
    ),
    Function(
        ("primes_up_to", "primes_up_to", "list_primes", "get_primes", "sieve"),
        (NUMBER,),
        "list[int]",
        (
            "Return a list of all prime numbers up to {a}, inclusive",
            "List all primes less than or equal to {a}",
            "Return all prime numbers from 2 to {a}",
        ),
        ("返回不超过 {a} 的所有素数的列表", "列出小于等于 {a} 的所有质数", "返回 2 到 {a} 之间的所有素数"),
        "primes = []\nfor k in range(2, {a} + 1):\n    if all(k % p for p in primes):\n        primes.append(k)\nreturn primes",
        (([10], [2, 3, 5, 7]), ([1], []), ([2], [2]), ([20], [2, 3, 5, 7, 11, 13, 17, 19])),
    ),
    Function(
        ("fizzbuzz", "fizzbuzz", "fizz_buzz"),
        (NUMBER,),
        "list[str]",
        (
            "Return the FizzBuzz list for the numbers from 1 to {a}",
            'Return a list of strings from 1 to {a}: "Fizz" for multiples of 3, "Buzz" for multiples of 5, "FizzBuzz" for both, else the number',
            'FizzBuzz: for 1 to {a}, use "Fizz" if divisible by 3, "Buzz" if divisible by 5, "FizzBuzz" if by both',
        ),
        (
            "返回 1 到 {a} 的 FizzBuzz 列表",
            '返回 1 到 {a} 的字符串列表：3 的倍数为 "Fizz"，5 的倍数为 "Buzz"，同时是两者的倍数为 "FizzBuzz"，否则为数字',
        ),
        'result = []\nfor i in range(1, {a} + 1):\n    word = "Fizz" * (i % 3 == 0) + "Buzz" * (i % 5 == 0)\n    result.append(word or str(i))\nreturn result',
        (
            ([5], ["1", "2", "Fizz", "4", "Buzz"]),
            ([0], []),
            (
                [15],
                [
                    "1",
                    "2",
                    "Fizz",
                    "4",
                    "Buzz",
                    "Fizz",
                    "7",
                    "8",
                    "Fizz",
                    "Buzz",
                    "11",
                    "Fizz",
                    "13",
                    "14",
                    "FizzBuzz",
                ],
            ),
        ),
    ),
    Function(
        ("reverse_words", "reverse_words", "flip_words"),
        (TEXT,),
        "str",
        (
            "Return {a} with the order of its words reversed",
            "Reverse the order of the words in {a}",
            "Reverse the words of the sentence {a}",
            "Return the words of {a} in reverse order, separated by single spaces",
            "Returns the words of the {a} in reverse order, joined by single spaces",
        ),
        ("将 {a} 中单词的顺序颠倒", "返回单词顺序反转后的字符串 {a}"),
        'return " ".join(reversed({a}.split()))',
        ((["one two three"], "three two one"), (["x"], "x"), (["a b"], "b a")),
    ),
    Function(
        ("flatten", "flatten", "flatten_list", "flat"),
        (ITEMS,),
        "list",
        (
            "Flatten the nested list {a} into one flat list",
            "Return a flat list of all elements of the nested list {a}",
            "Flatten {a}, a list that may contain lists at any depth",
        ),
        (
            "将嵌套列表 {a} 展开为一维列表",
            "把任意深度的嵌套列表 {a} 展平",
            "返回嵌套列表 {a} 的所有元素组成的一维列表",
        ),
        "result = []\nfor item in {a}:\n    if isinstance(item, list):\n        result.extend({f}(item))\n    else:\n        result.append(item)\nreturn result",
        (([[1, [2, [3]], 4]], [1, 2, 3, 4]), ([[]], []), ([[[1], [2]]], [1, 2])),
    ),
    Function(
        ("two_sum", "two_sum", "find_pair"),
        (NUMBERS, (("target", "total", "goal"), "int")),
        "list[int]",
        (
            "Return the indices of the two numbers in {a} that add up to {b}",
            "Find two positions in {a} whose values sum to {b} and return them as a list",
            "Return the indexes of two elements of {a} whose sum is {b}",
        ),
        ("返回 {a} 中和为 {b} 的两个数的下标", "在 {a} 中找出和为 {b} 的两个数，返回它们的下标列表"),
        "seen = {}\nfor i, value in enumerate({a}):\n    if {b} - value in seen:\n        return [seen[{b} - value], i]\n    seen[value] = i\nreturn []",
        (([[2, 7, 11, 15], 9], [0, 1]), ([[3, 2, 4], 6], [1, 2]), ([[1, 2], 9], [])),
    ),
    Function(
        ("fibonacci", "fibonacci", "fib", "nth_fibonacci"),
        (NUMBER,),
        "int",
        (
            "Return the {a}-th Fibonacci number, with fibonacci(0) = 0 and fibonacci(1) = 1",
            "Compute the Fibonacci number at index {a}, starting with 0 and 1",
            "Return the {a}th Fibonacci number",
        ),
        ("返回第 {a} 个斐波那契数，从 0 和 1 开始", "计算第 {a} 个斐波那契数"),
        "a, b = 0, 1\nfor _ in range({a}):\n    a, b = b, a + b\nreturn a",
        (([0], 0), ([1], 1), ([10], 55)),
    ),
    Function(
        ("reverse_string", "reverse_string", "reverse", "reverse_text"),
        (TEXT,),
        "str",
        ("Return {a} reversed", "Return the characters of {a} in reverse order", "Reverse the string {a}"),
        ("返回反转后的字符串 {a}", "将字符串 {a} 反转", "把 {a} 的字符倒序返回"),
        "return {a}[::-1]",
        ((["abc"], "cba"), ([""], ""), (["ab c"], "c ba")),
    ),
    Function(
        ("count_vowels", "count_vowels", "vowel_count", "number_of_vowels"),
        (TEXT,),
        "int",
        (
            "Return the number of vowels in {a}",
            "Count the vowels (a, e, i, o, u) in {a}, ignoring case",
            "Count how many vowels {a} contains",
        ),
        ("统计 {a} 中元音字母的个数", "返回字符串 {a} 中元音（a、e、i、o、u）的数量"),
        'return sum(1 for c in {a}.lower() if c in "aeiou")',
        ((["Hello"], 2), ([""], 0), (["AEIOU xyz"], 5)),
    ),
    Function(
        ("unique", "unique", "remove_duplicates", "deduplicate", "dedupe"),
        (ITEMS,),
        "list",
        (
            "Return the elements of {a} without duplicates, in their original order",
            "Remove duplicates from {a} and keep the order",
            "Return a list of the distinct elements of {a}, keeping the first of each",
        ),
        ("去除 {a} 中的重复元素，保持原来的顺序", "返回 {a} 去重后的列表，保留顺序"),
        "seen = set()\nresult = []\nfor item in {a}:\n    if item not in seen:\n        seen.add(item)\n        result.append(item)\nreturn result",
        (([[1, 2, 1, 3]], [1, 2, 3]), ([[]], []), ([["b", "a", "b"]], ["b", "a"])),
    ),
    Function(
        ("find_max", "find_max", "maximum", "largest"),
        (NUMBERS,),
        "int",
        (
            "Return the largest number in {a} without using max",
            "Find the maximum of the list {a}",
            "Return the largest element of {a}",
        ),
        ("返回列表 {a} 中的最大值", "找出 {a} 中最大的数"),
        "largest = {a}[0]\nfor value in {a}:\n    if value > largest:\n        largest = value\nreturn largest",
        (([[3, 9, 2]], 9), ([[-5, -1]], -1), ([[4]], 4)),
    ),
    Function(
        ("average", "average", "mean", "compute_average"),
        (NUMBERS,),
        "float",
        (
            "Return the average of {a}, or 0 if it is empty",
            "Compute the mean of the numbers in {a}; an empty list gives 0",
            "Return the arithmetic mean of {a}, 0 for an empty list",
        ),
        ("返回 {a} 的平均值，空列表返回 0", "计算 {a} 中数字的平均数，列表为空时返回 0"),
        "if not {a}:\n    return 0\nreturn sum({a}) / len({a})",
        (([[1, 2, 3]], 2), ([[]], 0), ([[5]], 5)),
    ),
    Function(
        ("binary_search", "binary_search", "bisect_search"),
        (NUMBERS, (("target", "key", "x"), "int")),
        "int",
        (
            "Return the index of {b} in the sorted list {a}, or -1 if it is absent",
            "Binary search: find {b} in the sorted list {a}; return its index or -1",
            "Search the sorted list {a} for {b} and return the index, -1 if not found",
        ),
        (
            "在有序列表 {a} 中二分查找 {b}，返回下标，找不到返回 -1",
            "用二分查找返回 {b} 在有序列表 {a} 中的下标，不存在返回 -1",
        ),
        "low, high = 0, len({a}) - 1\nwhile low <= high:\n    middle = (low + high) // 2\n    if {a}[middle] == {b}:\n        return middle\n    if {a}[middle] < {b}:\n        low = middle + 1\n    else:\n        high = middle - 1\nreturn -1",
        (([[1, 3, 5, 7], 5], 2), ([[1, 3], 2], -1), ([[], 1], -1), ([[4], 4], 0)),
    ),
    Function(
        ("bubble_sort", "bubble_sort", "sort_numbers", "sort_list"),
        (NUMBERS,),
        "list[int]",
        (
            "Return {a} sorted in ascending order with bubble sort",
            "Sort {a} in ascending order without using sorted",
            "Sort the list {a} with the bubble sort algorithm and return it",
        ),
        ("用冒泡排序将 {a} 升序排列并返回", "将列表 {a} 从小到大排序，不使用 sorted"),
        "result = list({a})\nfor i in range(len(result)):\n    for j in range(len(result) - 1 - i):\n        if result[j] > result[j + 1]:\n            result[j], result[j + 1] = result[j + 1], result[j]\nreturn result",
        (([[3, 1, 2]], [1, 2, 3]), ([[]], []), ([[5, 5, 1]], [1, 5, 5])),
    ),
    Function(
        ("is_anagram", "is_anagram", "are_anagrams", "check_anagram"),
        ((("a", "first", "s"), "str"), (("b", "second", "t"), "str")),
        "bool",
        (
            "Return True if {a} and {b} are anagrams of each other, ignoring case",
            "Check whether {a} and {b} are anagrams; ignore case",
            "Tell if {a} is an anagram of {b}, ignoring case",
        ),
        ("判断 {a} 和 {b} 是否互为变位词，忽略大小写", "检查 {a} 与 {b} 是否由相同字母组成，忽略大小写"),
        "return sorted({a}.lower()) == sorted({b}.lower())",
        ((["Listen", "Silent"], True), (["abc", "abd"], False), (["", ""], True)),
    ),
    Function(
        ("digit_sum", "digit_sum", "sum_digits", "sum_of_digits"),
        (NUMBER,),
        "int",
        (
            "Return the sum of the digits of {a}",
            "Add up the decimal digits of the non-negative integer {a}",
            "Compute the digit sum of {a}",
        ),
        ("返回 {a} 的各位数字之和", "计算非负整数 {a} 各位数字的和"),
        "return sum(int(digit) for digit in str({a}))",
        (([123], 6), ([0], 0), ([9999], 36)),
    ),
    Function(
        ("celsius_to_fahrenheit", "celsius_to_fahrenheit", "to_fahrenheit", "c_to_f"),
        ((("celsius", "c", "degrees"), "float"),),
        "float",
        (
            "Convert {a} degrees Celsius to Fahrenheit",
            "Return the temperature {a} in Fahrenheit; it is given in Celsius",
        ),
        ("将摄氏温度 {a} 转换为华氏温度", "把摄氏度 {a} 换算成华氏度"),
        "return {a} * 9 / 5 + 32",
        (([0], 32), ([100], 212), ([-40], -40)),
    ),
    Function(
        ("is_leap_year", "is_leap_year", "leap_year", "check_leap_year"),
        ((("year", "y"), "int"),),
        "bool",
        (
            "Return True if {a} is a leap year",
            "Check whether {a} is a leap year",
            "Tell if the year {a} is a leap year of the Gregorian calendar",
        ),
        ("判断 {a} 是否为闰年", "如果 {a} 年是闰年则返回 True"),
        "return {a} % 4 == 0 and ({a} % 100 != 0 or {a} % 400 == 0)",
        (([2000], True), ([1900], False), ([2024], True), ([2023], False)),
    ),
    Function(
        ("chunk", "chunk", "split_chunks", "chunk_list"),
        (ITEMS, (("size", "n", "length"), "int")),
        "list[list]",
        (
            "Split {a} into consecutive chunks of {b} elements",
            "Return the list {a} cut into lists of length {b}; the last may be shorter",
            "Divide {a} into pieces of size {b}",
        ),
        ("将 {a} 按每 {b} 个元素分块", "把列表 {a} 分成长度为 {b} 的小列表"),
        "return [{a}[i:i + {b}] for i in range(0, len({a}), {b})]",
        (([[1, 2, 3, 4, 5], 2], [[1, 2], [3, 4], [5]]), ([[], 3], []), ([[1, 2], 2], [[1, 2]])),
    ),
    Function(
        ("power", "power", "pow_int", "int_power"),
        ((("base", "x", "a"), "int"), (("exponent", "n", "e"), "int")),
        "int",
        (
            "Return {a} raised to the power {b} without using ** or pow",
            "Compute {a} to the power of the non-negative integer {b}",
            "Multiply {a} by itself {b} times and return the result",
        ),
        ("返回 {a} 的 {b} 次方，不使用 ** 或 pow", "计算 {a} 的 {b} 次幂"),
        "result = 1\nfor _ in range({b}):\n    result *= {a}\nreturn result",
        (([2, 10], 1024), ([5, 0], 1), ([3, 3], 27)),
    ),
    Function(
        ("transpose", "transpose", "transpose_matrix"),
        ((("matrix", "rows", "grid"), "list[list[int]]"),),
        "list[list[int]]",
        (
            "Return the transpose of {a}",
            "Swap the rows and columns of {a}",
            "Transpose the matrix {a}, a list of rows",
        ),
        ("返回矩阵 {a} 的转置", "交换 {a} 的行和列"),
        "return [list(column) for column in zip(*{a})]",
        (([[[1, 2], [3, 4]]], [[1, 3], [2, 4]]), ([[[1, 2, 3]]], [[1], [2], [3]])),
    ),
    Function(
        ("clamp", "clamp", "limit_value"),
        (
            (("value", "x", "v"), "int"),
            (("low", "minimum", "lower"), "int"),
            (("high", "maximum", "upper"), "int"),
        ),
        "int",
        (
            "Return {a}, but not less than {b} and not more than {c}",
            "Limit {a} to the range from {b} to {c}",
            "Clamp {a} between {b} and {c}",
        ),
        ("将 {a} 限制在 {b} 和 {c} 之间", "返回限制在 {b} 到 {c} 范围内的 {a}"),
        "return max({b}, min({c}, {a}))",
        (([5, 1, 10], 5), ([-3, 0, 4], 0), ([9, 0, 4], 4)),
    ),
    Function(
        ("capitalize_words", "capitalize_words", "title_case", "capitalize_all"),
        (TEXT,),
        "str",
        (
            "Return {a} with the first letter of each word in upper case",
            "Capitalize every word of {a}",
            "Make the first letter of each word in {a} a capital",
        ),
        ("将 {a} 中每个单词的首字母大写", "返回每个单词首字母大写后的 {a}"),
        'return " ".join(word.capitalize() for word in {a}.split())',
        ((["hello world"], "Hello World"), (["a"], "A"), (["one two"], "One Two")),
    ),
    Function(
        ("is_balanced", "is_balanced", "valid_parentheses", "balanced_brackets"),
        (TEXT,),
        "bool",
        (
            "Return True if the brackets (), [] and {{}} in {a} are balanced",
            "Check whether every bracket in {a} is closed in the right order",
            "Tell if the parentheses and brackets of {a} are balanced",
        ),
        ("判断 {a} 中的括号是否匹配", "检查 {a} 中的各种括号是否正确闭合"),
        'pairs = {")": "(", "]": "[", "}": "{"}\nstack = []\nfor c in {a}:\n    if c in pairs.values():\n        stack.append(c)\n    elif c in pairs:\n        if not stack or stack.pop() != pairs[c]:\n            return False\nreturn not stack',
        ((["([]){}"], True), (["(]"], False), (["("], False), ([""], True)),
    ),
    Function(
        ("merge_sorted", "merge_sorted", "merge_lists", "merge"),
        ((("a", "first", "left"), "list[int]"), (("b", "second", "right"), "list[int]")),
        "list[int]",
        (
            "Merge the sorted lists {a} and {b} into one sorted list",
            "Return one sorted list with the elements of the sorted lists {a} and {b}",
        ),
        ("将两个有序列表 {a} 和 {b} 合并为一个有序列表", "合并有序列表 {a} 与 {b}"),
        "result = []\ni = j = 0\nwhile i < len({a}) and j < len({b}):\n    if {a}[i] <= {b}[j]:\n        result.append({a}[i])\n        i += 1\n    else:\n        result.append({b}[j])\n        j += 1\nreturn result + {a}[i:] + {b}[j:]",
        (([[1, 4], [2, 3]], [1, 2, 3, 4]), ([[], [1]], [1]), ([[1, 1], [1]], [1, 1, 1])),
    ),
)
