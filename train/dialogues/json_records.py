# ruff: noqa: E501 (sentences of the data stay on one line)
"""The sorts of records that JSON is asked for: their names in requests, their fields, and the words that fill them."""

from __future__ import annotations

from dataclasses import dataclass

from train.dialogues.json_fields import (
    FieldMaker,
    boolean,
    choice,
    cities,
    date,
    email,
    identifier,
    names,
    number,
    words,
)

DATE_DEFECT, COMMA_DEFECT = "slash_date", "trailing_comma"

DEPARTMENTS = (
    "Engineering",
    "Sales",
    "Marketing",
    "Finance",
    "HR",
    "Support",
    "Legal",
    "Design",
    "Operations",
    "Research",
    "Product",
    "Logistics",
    "IT",
    "Security",
    "Quality",
)
CHINESE_DEPARTMENTS = (
    "技术部",
    "销售部",
    "市场部",
    "财务部",
    "人事部",
    "客服部",
    "法务部",
    "设计部",
    "运营部",
    "研发部",
    "产品部",
    "物流部",
    "行政部",
    "人力资源部",
    "采购部",
)
CATEGORIES = (
    "book",
    "food",
    "toy",
    "tool",
    "shoe",
    "drink",
    "plant",
    "game",
    "phone",
    "furniture",
    "stationery",
    "fruit",
    "pet",
    "art",
    "camera",
    "bike",
    "electronics",
    "books",
    "clothing",
    "food",
    "toys",
    "sports",
    "home",
    "garden",
    "beauty",
    "music",
    "office",
    "kitchen",
    "Electronics",
    "Books",
    "Clothing",
    "Toys",
    "Home",
    "Sports",
)
CHINESE_CATEGORIES = (
    "电子产品",
    "图书",
    "服装",
    "食品",
    "玩具",
    "运动",
    "家居",
    "美妆",
    "文具",
    "厨具",
    "数码",
    "家电",
    "日用品",
    "母婴",
    "户外",
)
PRODUCTS = (
    "Desk Lamp",
    "Wireless Mouse",
    "Water Bottle",
    "Notebook",
    "Backpack",
    "Coffee Mug",
    "Headphones",
    "Running Shoes",
    "Keyboard",
    "Phone Stand",
    "Chess Set",
    "Cook Book",
    "Rain Coat",
    "Garden Hose",
    "Yoga Mat",
    "Puzzle",
    "Blanket",
    "Monitor",
)
CHINESE_PRODUCTS = (
    "台灯",
    "无线鼠标",
    "水杯",
    "笔记本",
    "双肩包",
    "咖啡杯",
    "耳机",
    "跑鞋",
    "键盘",
    "手机支架",
    "象棋",
    "菜谱",
    "雨衣",
    "瑜伽垫",
    "拼图",
    "毛毯",
    "显示器",
    "保温杯",
)
EVENTS = (
    "Spring Fair",
    "Team Meeting",
    "Tech Conference",
    "Book Launch",
    "Music Night",
    "Charity Run",
    "Design Workshop",
    "Annual Review",
    "Product Demo",
    "Career Day",
    "Film Festival",
    "Data Summit",
)
CHINESE_EVENTS = (
    "春季展览会",
    "团队会议",
    "技术大会",
    "新书发布会",
    "音乐之夜",
    "慈善跑步",
    "设计研讨会",
    "年度总结会",
    "产品发布会",
    "招聘会",
    "电影节",
    "数据峰会",
    "项目启动会",
    "读书会",
)
BOOKS = (
    "The Quiet River",
    "Learning Python",
    "Stars at Night",
    "A Short History",
    "The Red Door",
    "Gardens of Stone",
    "Blue Morning",
    "City Maps",
)
CHINESE_BOOKS = (
    "安静的河",
    "学习编程",
    "夜空的星",
    "简明历史",
    "红色的门",
    "石头花园",
    "蓝色早晨",
    "城市地图",
)

SALARIES = (
    (8000, 25000, 500),
    (8000, 25000, 500),
    (5000, 20000, 500),
    (10000, 30000, 500),
    (6000, 18000, 500),
)
PRICES = ((10, 500, 1), (5, 100, 1), (1, 100, 1), (20, 300, 1), (10, 200, 1))


@dataclass(frozen=True)
class Record:
    """A sort of record: its names in requests, its fields in their usual order, its share, its planted defect."""

    english: tuple[str, ...]
    chinese: tuple[str, ...]
    fields: tuple[FieldMaker, ...]
    optional: tuple[FieldMaker, ...]
    defect: str = ""


EMPLOYEES = Record(
    ("employees", "employee records", "staff members", "fictional employees", "sample employees"),
    ("员工", "员工信息", "员工记录", "虚构的员工", "公司员工"),
    (
        identifier("id", "id", "id", "employee_id"),
        names("name", "name", "name", "full_name"),
        choice(("department", "department", "department", "dept"), DEPARTMENTS, CHINESE_DEPARTMENTS),
        number(("salary", "salary", "salary", "monthly_salary"), SALARIES, always=True),
        date("join_date", "join_date", "join_date", "hire_date", "start_date", ranged=0.2),
    ),
    (),
    DATE_DEFECT,
)
PRODUCT_RECORDS = Record(
    ("products", "product records", "shop products", "sample products", "items of a shop"),
    ("商品", "产品", "商品信息", "产品记录", "示例商品"),
    (
        identifier("id", "id", "id", "product_id"),
        words(("name", "name", "name", "product_name"), PRODUCTS, CHINESE_PRODUCTS),
        choice(("category", "category", "category", "type"), CATEGORIES, CHINESE_CATEGORIES),
        number(("price",), PRICES, decimals=True),
        boolean("in_stock", "in_stock", "in_stock", "available"),
    ),
    (),
    COMMA_DEFECT,
)
EVENT_RECORDS = Record(
    ("events", "meetings", "conferences", "events", "planned events"),
    ("活动", "会议", "活动信息", "会议安排", "活动记录"),
    (
        words(("title", "title", "title", "name"), EVENTS, CHINESE_EVENTS),
        cities("city", "city", "city", "location"),
        date("date", "date", "date", "event_date", ranged=0.7),
        number(
            ("attendees", "attendees", "participants"),
            ((10, 500, 5), (20, 200, 5), (10, 200, 5), (50, 300, 5)),
        ),
    ),
    (identifier("id"), boolean("online", "is_online"), names("host", "organizer")),
)
OTHERS = (
    Record(
        ("students", "student records", "pupils"),
        ("学生", "学生信息", "学生记录"),
        (
            identifier("id", "student_id"),
            names("name"),
            number(("score", "grade"), ((60, 100, 1), (50, 100, 1), (0, 100, 1))),
        ),
        (
            number(("age",), ((15, 25, 1), (18, 25, 1))),
            cities("city"),
            choice(
                ("major", "course"),
                ("Math", "Physics", "Art", "History", "Biology", "Music"),
                ("数学", "物理", "艺术", "历史", "生物", "音乐"),
            ),
            boolean("passed"),
        ),
    ),
    Record(
        ("books", "book records", "books of a library"),
        ("图书", "书籍", "图书信息"),
        (identifier("id", "book_id"), words(("title",), BOOKS, CHINESE_BOOKS), names("author")),
        (
            number(("year", "published"), ((1990, 2024, 1), (2000, 2024, 1))),
            number(("pages",), ((100, 600, 10), (80, 400, 10))),
            boolean("available"),
            number(("price",), PRICES, decimals=True),
        ),
    ),
    Record(
        ("users", "user accounts", "customers"),
        ("用户", "用户账号", "客户"),
        (identifier("id", "user_id"), names("name", "username"), email("email")),
        (
            number(("age",), ((18, 65, 1), (20, 60, 1))),
            cities("city"),
            boolean("active", "is_active"),
            date("created", "registered", "signup_date", ranged=0.3),
        ),
    ),
    Record(
        ("tickets", "support tickets", "tasks", "to-do items"),
        ("工单", "任务", "待办事项"),
        (
            identifier("id", "ticket_id"),
            words(
                ("title", "subject"),
                (
                    "Fix login page",
                    "Update the manual",
                    "Check the backup",
                    "Reset password",
                    "Order paper",
                    "Write tests",
                    "Call the client",
                    "Clean the data",
                ),
                (
                    "修复登录页面",
                    "更新手册",
                    "检查备份",
                    "重置密码",
                    "采购纸张",
                    "编写测试",
                    "联系客户",
                    "清理数据",
                ),
            ),
            choice(("priority",), ("low", "medium", "high", "urgent"), ("低", "中", "高", "紧急")),
        ),
        (
            choice(
                ("status",),
                ("open", "closed", "done", "new", "waiting"),
                ("待处理", "处理中", "已完成", "已关闭", "新建"),
            ),
            date("due_date", "deadline", ranged=0.5),
            names("assignee", "owner"),
            boolean("done", "completed"),
        ),
    ),
    Record(
        ("cities", "city records", "weather readings"),
        ("城市", "城市天气", "天气记录"),
        (cities("city", "name"), number(("temperature", "temp"), ((0, 35, 1), (10, 30, 1)))),
        (
            number(("humidity",), ((20, 90, 1), (30, 80, 1))),
            choice(
                ("condition", "weather"),
                ("sunny", "cloudy", "rain", "snow", "windy", "fog"),
                ("晴", "多云", "雨", "雪", "大风", "雾"),
            ),
            date("date", ranged=0.5),
        ),
    ),
)
