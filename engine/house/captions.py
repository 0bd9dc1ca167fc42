"""Words for scenes: one picture described in many ways, in English and in Simplified Chinese.

A `Mention` says which attributes of a character the words give away, a `SceneMention` the same
for the scene; what they leave out never shows in the words, and what is said is always true.
Words come from the tables at the top ("|" separates synonyms), grammar from the code below.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from random import Random
from typing import Literal

from engine.house.scenes import ANIMALS, PEOPLE, Character, Scene

Language = Literal["en", "zh"]
Table = dict[str, tuple[str, ...]]


def _table(**lists: str) -> Table:
    """Keys may not hold spaces or dashes, so "_" stands for both: see `_key`."""
    return {key: tuple(words.split("|")) for key, words in lists.items()}


def _words(words: str) -> tuple[str, ...]:
    return tuple(words.split("|"))


def _key(value: str) -> str:
    return value.replace(" ", "_").replace("-", "_")


# ---------------------------------------------------------------- who: English
NOUNS_EN = _table(
    man="man|man|man|young man|guy|gentleman|male programmer|male developer|businessman|fellow|"
    "male teacher|male engineer|adult man|dad|middle-aged man|male student|male doctor",
    woman="woman|woman|woman|young woman|lady|woman developer|female programmer|businesswoman|"
    "female developer|female teacher|woman engineer|adult woman|mum|female student|female doctor",
    boy="boy|boy|boy|little boy|young boy|schoolboy|small boy|kid, a boy",
    girl="girl|girl|girl|little girl|young girl|schoolgirl|small girl|kid, a girl",
    grandpa="grandpa|grandfather|old man|elderly man|old gentleman|old professor, a man|aged man",
    grandma="grandma|grandmother|old woman|elderly woman|old lady|elderly lady|granny",
    cat="cat|cat|cat|kitty|cartoon cat|house cat|cat character",
    dog="dog|dog|dog|doggy|cartoon dog|pet dog|puppy|dog character",
    rabbit="rabbit|rabbit|bunny|bunny rabbit|cartoon rabbit|hare|rabbit character",
    bear="bear|bear|bear|cartoon bear|teddy bear|bear character",
    robot="robot|robot|robot|android|cartoon robot|friendly robot|metal robot|bot",
)
VAGUE_EN = _table(
    adult="programmer|programmer|developer|young programmer|teacher|student|doctor|chef|engineer|"
    "scientist|designer|manager|boss|colleague|coder|person|person|grown-up|adult|somebody|"
    "someone|character|writer|artist|customer|software engineer",
    child="kid|child|little kid|pupil|small child|youngster|somebody|someone|person|character",
    old="old person|elderly person|senior|pensioner|somebody|someone|person|character",
    animal="animal|animal|cartoon animal|creature|pet|furry animal|somebody|character",
    robot="somebody|someone|character|figure|being",
)
HAIR_EN = _table(
    black="black|black|jet-black",
    brown="brown|brown|brunette|chestnut",
    blonde="blonde|blonde|blond|golden|yellow",
    orange="red|ginger|orange|orange",
    white="white|white|silver|grey|gray",
    blue="blue",
    pink="pink",
    green="green",
)
COAT_EN = HAIR_EN | _table(
    brown="brown",
    blonde="golden|yellow|cream-coloured|blonde",
    orange="orange|orange|ginger",
    white="white",
    black="black",
)
HAIR_STYLES_EN = _table(
    short="short {}hair|short {}hair|short-cut {}hair|a short {}haircut",
    long="long {}hair|long {}hair|{}hair down to the shoulders|long flowing {}hair",
    spiky="spiky {}hair|spiky {}hair|messy spiky {}hair|{}hair standing up",
    bun="{}hair in a bun|{}hair tied up in a bun|{}hair bun",
    curly="curly {}hair|curly {}hair|{}curls|wavy curly {}hair",
    ponytail="{}hair in a ponytail|{}ponytail|{}hair tied in a ponytail",
)
CLOTHING_EN = _table(
    red="red",
    blue="blue",
    green="green",
    yellow="yellow",
    purple="purple|purple|violet",
    orange="orange",
    black="black",
    white="white",
    pink="pink",
)
COLOURS_EN = frozenset(word for words in CLOTHING_EN.values() for word in words)
CLOTHES_EN = _table(
    T_shirt="T-shirt|T-shirt|t-shirt|tee|tee shirt|plain T-shirt",
    slogan_T_shirt="T-shirt with a slogan|T-shirt with a coding slogan|slogan T-shirt|"
    "T-shirt with writing on it|T-shirt with a print|T-shirt with text|printed T-shirt",
    shirt="shirt|shirt|button-up shirt|shirt with a collar|dress shirt",
    hoodie="hoodie|hoodie|hooded sweater|hooded sweatshirt",
    suit="suit|suit|business suit",
    dress="dress|dress|frock|summer dress",
    striped_sweater="striped sweater|striped sweater|striped jumper|stripy sweater|"
    "striped pullover|sweater with stripes",
)
GLASSES_EN = _table(
    round="glasses|glasses|round glasses|round glasses|round spectacles|eyeglasses",
    square="glasses|glasses|square glasses|square glasses|rectangular glasses|spectacles",
    sunglasses="sunglasses|sunglasses|dark glasses|shades",
)
HATS_EN = _table(
    cap="a cap|a cap|a baseball cap|a peaked cap|a hat",
    beanie="a beanie|a beanie|a woolly hat|a knitted hat|a hat",
    top_hat="a top hat|a top hat|a tall hat|a cylinder hat|a hat",
)
BUILDS_EN = _table(
    slim="slim|thin|skinny|slender",
    average="an average build|a medium build|a normal figure",
    stout="stout|chubby|fat|plump|round|big-bellied",
)
SKINS_EN = (
    ("light skin", "fair skin", "pale skin"),
    ("tanned skin", "olive skin", "a tan"),
    ("brown skin", "light brown skin"),
    ("dark skin", "very dark skin", "dark brown skin"),
)
BEARDS_EN = ("a beard", "a beard", "a full beard", "a bushy beard")
STICKERS_EN = (
    "a laptop covered in stickers",
    "stickers on the laptop",
    "a laptop full of tech stickers",
    "a laptop with stickers of tech logos",
)
# What means nothing to the picture.
FILLERS_EN = (
    "who loves science",
    "looking at Tom's code",
    "who never gives up",
    "on Monday",
    "of course",
    "before the deadline",
    "because of a bug",
    "for the first time",
    "as usual",
    "the hero",
    "looking for the lost keys",
    "who is new here",
    "known to everybody",
    "once again",
    "waiting for the release",
    "after the meeting",
    "very detailed",
    "a fan of old films",
    "from the next department",
    "the project is late",
    "full of ideas",
    "best friends forever",
    "who found the answer",
    "in the second act",
    "asking about the plan",
    "an expert in tests",
)

# ---------------------------------------------------------------- who: Chinese
NOUNS_ZH = _table(
    man="男人|男人|男子|男士|年轻男人|小伙子|男程序员|男开发者|先生|大叔|男老师|男工程师|男青年|"
    "男医生",
    woman="女人|女人|女子|女士|年轻女人|女程序员|女开发者|女老师|阿姨|女工程师|女青年|女医生|姑娘",
    boy="男孩|男孩|小男孩|男孩子|男童|小学男生",
    girl="女孩|女孩|小女孩|女孩子|女童|小姑娘",
    grandpa="老爷爷|爷爷|老头|老先生|老大爷|年老的男人",
    grandma="老奶奶|奶奶|老太太|老婆婆|老妇人",
    cat="猫|猫|小猫|猫咪|卡通猫",
    dog="狗|狗|小狗|狗狗|卡通狗",
    rabbit="兔子|兔子|小兔子|卡通兔子",
    bear="熊|熊|小熊|卡通熊",
    robot="机器人|机器人|机器人|小机器人|卡通机器人",
)
VAGUE_ZH = _table(
    adult="程序员|程序员|年轻程序员|开发者|老师|学生|医生|厨师|工程师|人|人|成年人|科学家|设计师|"
    "经理|"
    "老板|同事|作家|顾客|角色",
    child="孩子|小孩|小朋友|小学生|人",
    old="老人|老人家|老年人|人",
    animal="动物|小动物|卡通动物|宠物",
    robot="角色|家伙|形象",
)
HAIR_ZH = _table(
    black="黑色",
    brown="棕色|棕色|褐色",
    blonde="金色|金色|金黄色",
    orange="红色|橙色|橘色",
    white="白色|白色|银色|灰色",
    blue="蓝色",
    pink="粉色|粉红色",
    green="绿色",
)
COAT_ZH = HAIR_ZH | _table(blonde="金色|黄色|奶油色", orange="橘色|橙色", white="白色")
HAIR_STYLES_ZH = _table(
    short="短发|短发|短头发",
    long="长发|长发|长头发|披肩长发",
    spiky="刺猬头|竖起的头发|尖刺头发",
    bun="丸子头|发髻|盘发",
    curly="卷发|卷发|卷头发",
    ponytail="马尾|马尾辫|马尾",
)
CLOTHING_ZH = _table(
    red="红色",
    blue="蓝色",
    green="绿色",
    yellow="黄色",
    purple="紫色",
    orange="橙色|橙色|橘色",
    black="黑色",
    white="白色",
    pink="粉色|粉红色",
)
CLOTHES_ZH = _table(
    T_shirt="T恤|T恤|T恤衫|短袖T恤|t恤",
    shirt="衬衫|衬衫|衬衣",
    hoodie="连帽衫|卫衣|帽衫|连帽卫衣",
    slogan_T_shirt="印有标语的T恤|带编程标语的T恤|印着文字的T恤|标语T恤|有图案的T恤",
    suit="西装|西装|西服",
    dress="连衣裙|连衣裙|裙子",
    striped_sweater="条纹毛衣|条纹毛衣|条纹衫|条纹针织衫",
)
GLASSES_ZH = _table(
    round="眼镜|眼镜|圆框眼镜|圆眼镜",
    square="眼镜|眼镜|方框眼镜|方形眼镜",
    sunglasses="墨镜|太阳镜",
)
HATS_ZH = _table(
    cap="鸭舌帽|棒球帽|帽子", beanie="毛线帽|针织帽|帽子", top_hat="高礼帽|大礼帽|礼帽|帽子"
)
BUILDS_ZH = _table(
    slim="瘦瘦|身材苗条|很瘦|瘦削",
    average="中等身材|身材普通|体型匀称",
    stout="胖胖|身材圆润|很胖|矮胖",
)
SKINS_ZH = (
    ("皮肤白皙", "浅色皮肤", "肤色浅"),
    ("小麦色皮肤", "晒过的皮肤"),
    ("棕色皮肤", "褐色皮肤"),
    ("深色皮肤", "皮肤很深", "肤色很深"),
)
BEARDS_ZH = ("留着胡子", "有胡子", "大胡子", "满脸胡子")
STICKERS_ZH = (
    "笔记本电脑上贴满贴纸",
    "电脑贴满了科技标志的贴纸",
    "电脑上有贴纸",
    "带着贴满贴纸的笔记本电脑",
)
FILLERS_ZH = (
    "在找丢失的钥匙",
    "热爱科学",
    "看着汤姆的代码",
    "因为一个程序错误",
    "又到了星期一",
    "截止日期快到了",
    "从不放弃",
    "大家都认识",
    "项目要延期了",
    "第一次来这里",
    "和往常一样",
    "等待发布",
    "开完会之后",
    "刚来的新人",
    "充满创意",
    "测试专家",
    "故事的主角",
    "讨论新的计划",
    "细节丰富",
    "终于找到了答案",
)

# ---------------------------------------------------------------- names
_MEN = (
    "Tom|Jack|Bob|John|Mike|David|Peter|Paul|Mark|James|Leo|Max|Sam|Ben|Adam|Eric|Frank|George|"
    "Harry|Henry|Ivan|Jim|Kevin|Luke|Martin|Nick|Oliver|Oscar|Pablo|Robert|Simon|Steve|Tim|Victor|"
    "Walter|Will|Ali|Ahmed|Wei|Xiaoming|Kenji|Raj"
)
_WOMEN = (
    "Lisa|Mary|Anna|Emma|Sarah|Alice|Jane|Julia|Kate|Laura|Lucy|Maria|Nina|Olivia|Sophie|Susan|"
    "Helen|Eva|Grace|Emily|Clara|Diana|Ella|Fiona|Hannah|Ida|Jenny|Karen|Linda|Mia|Nora|Paula|Rita|"
    "Sonia|Tina|Vera|Wendy|Zoe|Fatima|Xiaohong|Meimei|Priya"
)
_PETS = "Mimi|Buddy|Rex|Coco|Fluffy|Lucky|Momo|Toby|Bella|Charlie|Teddy|Bobo|Tom|Luna|Nala|Felix"
_ROBOTS = "R2|Robo|Bit|Bolt|Chip|X-7|Max|Beep|Gizmo|Unit 5|Byte|Robbie"
_MEN_ZH = (
    "汤姆|小明|杰克|小李|小王|老王|张伟|李明|大卫|约翰|小刚|小强|迈克|彼得|王磊|阿杰|小张|刘洋|"
    "保罗|马克|詹姆斯|山姆|本|亚当|凯文|小军|志强|建国|陈浩|小宇|阿明|小林|老张|老李|子轩|浩然|"
    "鲍勃|小伟|"
    "罗伯特|史蒂夫"
)
_WOMEN_ZH = (
    "丽莎|小红|小美|小芳|玛丽|安娜|艾玛|李娜|王芳|小丽|小雨|莉莉|爱丽丝|简|小玲|婷婷|静静|露西|"
    "莎拉|索菲|海伦|小燕|美美|晓晓|刘敏|陈静|小雪|思思|雨欣|小兰|小梅|凯特|劳拉|妮娜|玲玲|张丽|"
    "佳佳|艾米丽|"
    "苏珊|小慧"
)
_PETS_ZH = "咪咪|旺财|豆豆|毛毛|球球|可可|多多|圆圆|乐乐|胖胖|米粒|汤圆"
_ROBOTS_ZH = "小机|阿宝|铁蛋|比特|小智|瓦力|R2|大白菜|小七|零号"


def _names(men: str, women: str, pets: str, robots: str) -> Table:
    by_kind = {"man": men, "woman": women, "boy": men, "girl": women, "grandpa": men}
    by_kind |= {"grandma": women, "robot": robots} | dict.fromkeys(ANIMALS, pets)
    return _table(**by_kind)


# ---------------------------------------------------------------- what: English
# "third person/-ing form/plural"
_POSES_EN = _table(
    standing="stands/standing/stand|stands there/standing there/stand there|"
    "stands still/standing still/stand still|stands upright/standing upright/stand upright",
    waving="waves/waving/wave|waves a hand/waving a hand/wave|says hello/saying hello/say hello|"
    "greets/greeting/greet|waves goodbye/waving goodbye/wave goodbye|"
    "waves at us/waving at us/wave at us",
    arms_up="cheers/cheering/cheer|raises both arms/raising both arms/raise their arms|"
    "celebrates/celebrating/celebrate|throws up both arms/arms up/throw up their arms|"
    "puts both hands up/hands up/put their hands up|jumps for joy/arms in the air/jump for joy",
    sitting="sits/sitting/sit|sits down/sitting down/sit down|sits there/seated/sit there|"
    "takes a seat/sitting/take a seat|rests/sitting and resting/sit and rest",
    running="runs/running/run|rushes/rushing/rush|hurries/hurrying/hurry|runs away/running away/"
    "run away|runs fast/running fast/run fast|jogs/jogging/jog|sprints/sprinting/sprint",
    typing="types/typing/type|types on a keyboard/typing on a keyboard/type on keyboards|"
    "writes code/writing code/write code|works at the laptop/working at the laptop/work at laptops|"
    "checks code on a laptop/checking code on a laptop/check code|codes/coding/code|"
    "works on the computer/working on the computer/work on computers|"
    "programs/programming/program|uses a laptop/using a laptop/use laptops",
    reading="reads/reading/read|reads a book/reading a book/read books|"
    "studies a book/studying a book/study|looks into a book/looking into a book/look into books",
    drinking="drinks/drinking/drink|drinks coffee/drinking coffee/drink coffee|"
    "drinks tea/drinking tea/drink tea|holds a cup/with a cup/hold cups|"
    "has a coffee/having a coffee/"
    "have a coffee|sips from a mug/sipping from a mug/sip from mugs",
    phoning="phones/phoning/phone|talks on the phone/talking on the phone/talk on the phone|"
    "makes a call/making a call/make calls|is on the phone/on the phone/are on the phone|"
    "takes a phone call/taking a phone call/take phone calls|"
    "calls somebody/calling somebody/call somebody",
    thinking="thinks/thinking/think|ponders/pondering/ponder|wonders/wondering/wonder|"
    "thinks hard/deep in thought/think hard|considers/considering/consider|"
    "thinks about it/thinking about it/think about it",
    arguing="argues/arguing/argue|quarrels/quarrelling/quarrel|shouts/shouting/shout|"
    "debates/debating/debate|disputes/having an argument/have an argument|"
    "yells/yelling/yell at each other|argues loudly/arguing loudly/shout at each other|"
    "disagrees loudly/in a quarrel/have a row|argues/in an argument/argue about it|"
    "gets into an argument/arguing/argue with each other",
    fighting="fights/fighting/fight|brawls/brawling/brawl|throws punches/throwing punches/"
    "throw punches|punches/punching/hit each other|boxes/in a fight/start a fight|"
    "fights/fighting hard/fight each other|attacks/attacking/come to blows",
)
_FEELINGS_EN = _table(
    calm="calm|neutral|relaxed|composed|peaceful|serene|quiet",
    happy="happy|cheerful|glad|pleased|delighted|joyful|content",
    laughing="amused|very amused|highly amused",
    sad="sad|upset|unhappy|depressed|disappointed|gloomy|miserable",
    angry="angry|furious|frustrated|annoyed|mad|irritated|enraged|cross",
    surprised="surprised|shocked|astonished|amazed|startled|stunned",
)
_FACES_EN = _table(
    calm="with a calm face|with a neutral expression|expressionless|straight-faced",
    happy="smiling|with a smile|smiling happily|with a happy face|in a good mood",
    laughing="laughing|laughing|laughing out loud|laughing hard|with a big laugh|cracking up",
    sad="crying|in tears|with a sad face|looking sad|close to tears|down",
    angry="with an angry face|scowling|in a rage|glaring|with a frown",
    surprised="with wide eyes|with an open mouth|in shock|in surprise|with a surprised face",
)
_PLACES_EN = _table(
    office="in the office|in an office|at work|at the office|at the workplace|at a desk|"
    "in a modern office|in the company",
    park="in the park|in a park|in the garden|on the lawn in the park|at the park|in a garden",
    kitchen="in the kitchen|in a kitchen|at the stove|in the kitchen at home",
    street="in the street|on the street|on the road|in the city|in town|on the pavement|downtown",
    beach="on the beach|at the beach|at the seaside|by the sea|at the sea|by the ocean|on the sand",
    forest="in the forest|in a forest|in the woods|in the jungle|among the trees",
    bedroom="in the bedroom|in a bedroom|at home|in the room|beside the bed|in a room at home",
    space="in space|in outer space|on the moon|in a spaceship|among the stars|on another planet",
    classroom="in the classroom|in a classroom|at school|in class|in a lesson at school",
    cafe="in a cafe|in the cafe|in a coffee shop|at the bar|in a restaurant|at the coffee shop",
    library="in the library|in a library|in a bookshop|among bookshelves|in the bookstore",
    snow="in the snow|on a snowy mountain|in the mountains|on the ice|in a snowy landscape|"
    "in winter",
)
_SPOTS_EN = _table(
    office="office|workplace|modern office",
    park="park|garden|city park",
    kitchen="kitchen",
    street="street|road|city street",
    beach="beach|seaside|sandy beach|coast",
    forest="forest|woods|jungle",
    bedroom="bedroom|room|room at home",
    space="outer space|moon landscape|spaceship",
    classroom="classroom|school room|school",
    cafe="cafe|coffee shop|restaurant|bar",
    library="library|bookshop|book room",
    snow="snowy mountain|snow landscape|icy landscape|snow field",
)
_EMPTY_EN = _words(
    "empty {}|an empty {}|the {}, nobody there|the {}, no people|{}, no people|{} without people|"
    "a {} with nobody in it|nobody in the {}|the deserted {}|{}, empty, nobody there"
)
_TIMES_EN = _table(
    night="at night|in the evening|by night|late at night|under the moon|in the moonlight|night",
    day="by day|in the daytime|on a sunny day|in daylight|sunny|daytime|in the sunshine",
)
_FRAMINGS_EN = _table(
    close_up="close-up|closeup|portrait|close-up of the face|head and shoulders|close shot",
    medium="medium shot|mid shot|half body|waist up",
    wide="wide shot|full body|long shot|seen from far away|wide angle|full figure",
)
STYLES_EN = _table(
    flat_colour="comic, flat colours|flat colour comic|flat colors|comic, flat colors|flat style|"
    "colour comic|comic style, flat colours, clean outlines|flat colour cartoon",
    line_art="line art, black outlines, white|line art|black and white line art|ink drawing|"
    "line drawing, white background|comic, line art|black outlines on white",
    noir="film noir, black and white|noir|film noir|comic, noir|dark black and white noir comic|"
    "noir style, high contrast",
    pastel="pastel, soft colours|pastel colours|soft pastel|comic, pastel|pastel style|"
    "soft pastel colors, gentle light",
)
_PAPERS_EN = _words(
    "papers flying everywhere|papers fly through the air|sheets of paper in the air|"
    "papers and notebooks flying everywhere|flying papers|paper everywhere in the air"
)
_INTROS_EN = ("comic", "comic panel", "a comic panel", "cartoon", "comic strip", "illustration")

# ---------------------------------------------------------------- what: Chinese
_POSES_ZH = _table(
    standing="站着|站在那里|站立|静静站着|直直地站着",
    waving="挥手|招手|打招呼|挥手告别|挥手问好|向大家挥手",
    arms_up="举起双手|举起双臂|欢呼|高举双手|庆祝|双手举过头顶",
    sitting="坐着|坐下|坐在那里|坐下休息|坐着休息",
    running="跑步|奔跑|跑|飞奔|快跑|狂奔|赶路",
    typing="打字|敲键盘|写代码|编程|用电脑工作|敲代码|在笔记本电脑上打字|检查代码|用笔记本电脑|"
    "编写程序",
    reading="看书|读书|阅读|读一本书|翻书",
    drinking="喝咖啡|喝茶|喝东西|喝水|端着杯子|喝饮料",
    phoning="打电话|通电话|讲电话|接电话|拿着手机通话",
    thinking="思考|想事情|沉思|考虑问题|苦苦思索|琢磨",
    arguing="争论|争吵|吵架|辩论|大声争执|争辩|吵起来|吵嘴",
    fighting="打架|打起来了|动手|打斗|搏斗|挥拳|大打出手",
)
_FEELINGS_ZH = _table(
    calm="平静|淡定|冷静|放松|镇定",
    happy="开心|高兴|快乐|愉快|欢喜",
    laughing="好笑地笑|欢乐大笑",
    sad="沮丧|难过|伤心|悲伤|失落|不开心",
    angry="生气|愤怒|恼火|烦躁|气愤",
    surprised="惊讶|吃惊|震惊|诧异|意外",
)
_FACES_ZH = _table(
    calm="面无表情|表情平静|神情自若|一脸平静",
    happy="微笑着|面带笑容|笑眯眯|兴高采烈|一脸开心",
    laughing="大笑|哈哈大笑|笑得很大声|放声大笑|笑个不停|开怀大笑",
    sad="哭泣|流着泪|愁眉苦脸|一脸沮丧|哭着|垂头丧气",
    angry="怒气冲冲|火冒三丈|一脸怒气|皱着眉头|暴怒",
    surprised="目瞪口呆|张大嘴巴|大吃一惊|一脸惊讶|瞪大眼睛",
)
_PLACES_ZH = _table(
    office="办公室里|办公室|公司里|公司|工位上|办公桌前",
    park="公园里|公园|花园里|草坪上|花园",
    kitchen="厨房里|厨房|家里的厨房",
    street="街上|马路上|大街上|城市里|街道上|路边",
    beach="海边|沙滩上|海滩上|大海边|海滩",
    forest="森林里|树林里|丛林里|森林中|树林中",
    bedroom="卧室里|房间里|家里|卧室|床边",
    space="太空中|太空里|月球上|宇宙中|飞船里|外星球上",
    classroom="教室里|学校里|课堂上|学校|教室",
    cafe="咖啡馆里|餐厅里|咖啡店里|咖啡厅|酒吧里|咖啡馆",
    library="图书馆里|图书馆|书店里|书架旁|书店",
    snow="雪地里|雪山上|冰天雪地里|雪地上|雪中|冰上",
)
_SPOTS_ZH = _table(
    office="办公室|公司",
    park="公园|花园",
    kitchen="厨房",
    street="街道|马路|城市街头",
    beach="海边|沙滩|海滩",
    forest="森林|树林|丛林",
    bedroom="卧室|房间|家里",
    space="太空|月球|宇宙",
    classroom="教室|学校",
    cafe="咖啡馆|餐厅|咖啡店",
    library="图书馆|书店",
    snow="雪地|雪山|冰雪世界",
)
_EMPTY_ZH = _words("空无一人的{}|{}，空无一人|{}里没有人|没有人的{}|空荡荡的{}|{}，没有人|无人的{}")
_TIMES_ZH = _table(
    night="晚上|夜里|月光下|夜晚|深夜|傍晚之后的夜里|黑夜", day="白天|阳光下|大白天|晴天|阳光明媚"
)
_FRAMINGS_ZH = _table(
    close_up="特写|面部特写|近景|头像|近距离特写",
    medium="中景|半身|半身镜头",
    wide="远景|全身|全景|远镜头|广角",
)
STYLES_ZH = _table(
    flat_colour="扁平色彩|漫画，扁平色彩|平涂漫画|彩色漫画|扁平风格|漫画风格，平涂|"
    "comic, flat colours",
    line_art="线稿|漫画线稿|黑色线条，白底|线描|黑白线稿|line art, black outlines, white",
    noir="黑白电影|黑色电影风格|黑白电影风格|漫画，黑白电影|黑白悬疑风|film noir, black and white",
    pastel="粉彩|柔和的色彩|粉彩风格|漫画，粉彩|淡雅柔和|pastel, soft colours",
)
_PAPERS_ZH = _words(
    "纸张飞得到处都是|纸张和笔记本飞得到处都是|纸片满天飞|到处飞着纸|文件满天飞|空中飘着纸张"
)
_INTROS_ZH = ("漫画", "一格漫画", "卡通", "漫画画面", "四格漫画", "插画")


# ---------------------------------------------------------------- tables grown from the tables
@dataclass(frozen=True)
class Tongue:
    """One language's words for scenes, every form ready to be put into a sentence."""

    names: Table
    foreign_names: Table
    acts: Table  # finite, one actor: "types"
    doings: Table  # for comma chains: "typing"
    joint_acts: Table  # finite, two actors: "argue"
    joint_doings: Table
    looks: Table  # finite: "looks sad"
    faces: Table  # for comma chains: "sad"
    joint_faces: Table
    places: Table
    spots: Table
    empty: tuple[str, ...]
    times: Table
    framings: Table
    styles: Table
    papers: tuple[str, ...]
    intros: tuple[str, ...]
    fillers: tuple[str, ...]
    comma: str
    stop: str
    space: str
    both: tuple[str, ...]  # "{0} and {1}"
    long_both: tuple[str, ...]  # where the first has commas of its own
    sides: tuple[str, ...]
    side_names: tuple[tuple[str, str], ...]
    left_right: tuple[str, str]


def _grow(table: Table, *forms: str) -> Table:
    """Every word of the table in every form."""
    return {
        key: tuple(form.format(word) for word in words for form in forms)
        for key, words in table.items()
    }


def _merge(*tables: Table) -> Table:
    return {key: tuple(word for t in tables for word in t[key]) for key in tables[0]}


def _part(index: int) -> Table:
    return {
        key: tuple(word.split("/")[index] for word in words) for key, words in _POSES_EN.items()
    }


def _progressive() -> Table:
    """ "正在" goes before what is going on, not before states or what has its own particle."""
    states = ("standing", "sitting")
    return {
        key: tuple(
            prefix + word
            for word in words
            for prefix in (("",) if key in states else ("", "正在", "在"))
            if not (prefix and (word[0] in "在端拿" or word[-1] in "了来手臂顶下"))
        )
        for key, words in _POSES_ZH.items()
    }


def _english() -> Tongue:
    plural = _part(2)
    names = _names(_MEN, _WOMEN, _PETS, _ROBOTS)
    return Tongue(
        names=names,
        foreign_names=names,
        acts=_part(0),
        doings=_merge(_part(1), _part(1), _part(0)),
        joint_acts=plural,
        joint_doings=_merge(
            plural, _grow(plural, "they {}", "both {}"), _part(1), _grow(_part(1), "both {}")
        ),
        looks=_grow(_FEELINGS_EN, "looks {}", "is {}", "seems {}", "feels {}"),
        faces=_merge(_grow(_FEELINGS_EN, "{}", "{}", "looking {}"), _FACES_EN, _FACES_EN),
        joint_faces=_merge(
            _grow(_FEELINGS_EN, "both {}", "both look {}", "they are {}", "both of them {}"),
            _grow(_FACES_EN, "both {}"),
        ),
        places=_PLACES_EN,
        spots=_SPOTS_EN,
        empty=_EMPTY_EN,
        times=_TIMES_EN,
        framings=_FRAMINGS_EN,
        styles=STYLES_EN,
        papers=_PAPERS_EN,
        intros=_INTROS_EN,
        fillers=FILLERS_EN,
        comma=", ",
        stop=". ",
        space=" ",
        both=(
            "{0} and {1}",
            "{0}, and {1}",
            "{0} and {1}",
            "{0} with {1}",
            "{0}, {1}",
            "{0} & {1}",
        ),
        long_both=("{0}, and {1}", "{0}, and {1}", "{0} and {1}", "{0}, with {1}", "{0}, {1}"),
        sides=(
            "{0} on the left and {1} on the right",
            "on the left {0}, on the right {1}",
            "left: {0}, right: {1}",
            "{0} (left) and {1} (right)",
        ),
        side_names=(
            ("the one on the left", "the one on the right"),
            ("the left one", "the right one"),
            ("the first", "the second"),
        ),
        left_right=("on the left, ", "on the right, "),
    )


def _chinese() -> Tongue:
    doing = _progressive()
    names = _names(_MEN_ZH, _WOMEN_ZH, _PETS_ZH, _ROBOTS_ZH)
    feelings = {k: w for k, w in _FEELINGS_ZH.items() if k != "laughing"}
    looks = _grow(feelings, "看起来很{}", "很{}", "显得很{}", "非常{}", "感到{}")
    looks["laughing"] = _FACES_ZH["laughing"]
    faces = _grow(feelings, "{}", "很{}", "看起来很{}", "表情{}") | {"laughing": ()}
    joint = _grow(feelings, "两人都很{}", "双方都显得很{}", "都很{}", "他们都{}", "双方都{}")
    return Tongue(
        names=names,
        foreign_names=_names(_MEN, _WOMEN, _PETS, _ROBOTS),
        acts=doing,
        doings=doing,
        joint_acts=doing,
        joint_doings=_merge(doing, doing, _grow(doing, "两人{}", "他们{}", "双方都{}", "一起{}")),
        looks=looks,
        faces=_merge(faces, _FACES_ZH),
        joint_faces=_merge(
            joint | {"laughing": ()}, _grow(_FACES_ZH, "两人都{}", "双方都{}", "都{}")
        ),
        places=_PLACES_ZH,
        spots=_SPOTS_ZH,
        empty=_EMPTY_ZH,
        times=_TIMES_ZH,
        framings=_FRAMINGS_ZH,
        styles=STYLES_ZH,
        papers=_PAPERS_ZH,
        intros=_INTROS_ZH,
        fillers=FILLERS_ZH,
        comma="，",
        stop="。",
        space="",
        both=("{0}和{1}", "{0}，和{1}", "{0}和{1}", "{0}与{1}", "{0}、{1}", "{0}，{1}", "{0}跟{1}"),
        long_both=(
            "{0}，和{1}",
            "{0}，和{1}",
            "{0}，与{1}",
            "{0}，{1}",
            "{0}；{1}",
            "{0}，还有{1}",
        ),
        sides=(
            "左边是{0}，右边是{1}",
            "{0}在左边，{1}在右边",
            "左：{0}，右：{1}",
            "左侧{0}，右侧{1}",
        ),
        side_names=(("左边的", "右边的"), ("左边那个", "右边那个"), ("前者", "后者")),
        left_right=("左边是", "右边是"),
    )


TONGUES: dict[str, Tongue] = {"en": _english(), "zh": _chinese()}
_ASCII_PUNCTUATION = str.maketrans({"，": ",", "。": ".", "（": "(", "）": ")", "：": ":"})
_SPACED_PUNCTUATION = str.maketrans({"，": ", ", "。": ". ", "：": ": "})


# ---------------------------------------------------------------- what is given away
@dataclass(frozen=True)
class Mention:
    """Which attributes of a character the words give away; the others stay free."""

    species: bool = True
    hair: bool = True
    clothes: bool = True
    clothing_colour: bool = True
    glasses: bool = True
    hat: bool = True
    build: bool = True
    skin: bool = True
    beard: bool = True
    stickers: bool = True


@dataclass(frozen=True)
class SceneMention:
    """What the words give away of a scene; expressions and poses for each actor."""

    place: bool
    night: bool
    framing: bool
    style: bool
    papers: bool
    expressions: tuple[bool, ...]
    poses: tuple[bool, ...]


def sample_mention(random: Random) -> Mention:
    species = random.random() > 0.06
    return Mention(
        species=species,
        hair=random.random() < 0.5,
        clothes=random.random() < 0.6,
        clothing_colour=random.random() < 0.5,
        glasses=random.random() < 0.85,
        hat=random.random() < 0.85,
        build=random.random() < 0.3,
        skin=random.random() < 0.15,
        beard=species and random.random() < 0.8,  # a beard would tell the species
        stickers=random.random() < 0.2,
    )


def sample_scene_mention(random: Random, scene: Scene) -> SceneMention:
    poses = tuple(random.random() < 0.88 for _ in scene.actors)
    if len(poses) == 2 and scene.actors[0].pose == scene.actors[1].pose:
        poses = (poses[0], poses[0])  # people say "they argue", not what one of them does
    expressions = tuple(random.random() < 0.88 for _ in scene.actors)
    if len(poses) == 2 and scene.actors[0].expression == scene.actors[1].expression:
        expressions = (expressions[0], expressions[0])
    return SceneMention(
        place=not scene.actors or random.random() < 0.88,
        night=random.random() < (0.88 if scene.night else 0.2),
        framing=random.random() < (0.1 if scene.framing == "medium" else 0.6),
        style=random.random() < (0.55 if scene.style == "flat colour" else 0.9),
        papers=random.random() < 0.9,
        expressions=expressions,
        poses=poses,
    )


# ---------------------------------------------------------------- describing a character
def describe(character: Character, mention: Mention, random: Random, language: Language) -> str:
    """The character as a person would write it in a story's cast, without the name."""
    return (_describe_en if language == "en" else _describe_zh)(character, mention, random)


def _vague_kind(species: str) -> str:
    if species in PEOPLE:
        return {"man": "adult", "woman": "adult", "boy": "child", "girl": "child"}.get(
            species, "old"
        )
    return "animal" if species in ANIMALS else "robot"


def _describe_en(character: Character, mention: Mention, random: Random) -> str:
    adjectives: list[str] = []
    traits: list[str] = []
    if mention.build:
        build = random.choice(BUILDS_EN[character.build])
        (traits if character.build == "average" else adjectives).append(build)
    _hair_en(character, mention, random, (adjectives, traits))
    _traits_en(character, mention, random, traits)
    worn = _worn_en(character, mention, random)
    if mention.species:
        noun = random.choice(NOUNS_EN[character.species])
    else:
        noun = random.choice(VAGUE_EN[_vague_kind(character.species)])
    if noun in ("somebody", "someone"):
        head = f"{noun} {' and '.join(adjectives)}".strip()
    else:
        head = _indefinite(" ".join((*adjectives, noun)))
    return _join_en(head, traits, worn, random)


def _indefinite(words: str) -> str:
    return ("an " if words[0] in "aeiou" else "a ") + words


def _hair_en(
    character: Character, mention: Mention, random: Random, into: tuple[list[str], list[str]]
) -> None:
    adjectives, traits = into
    style = character.hair_style
    if character.species not in PEOPLE:
        if mention.hair:
            colour = random.choice(COAT_EN[character.hair_colour])
            stuff = "metal" if character.species == "robot" else "fur"
            if random.random() < 0.7:
                adjectives.append(colour)
            else:
                traits.append(f"{colour} {stuff}")
    elif style == "bald":
        if mention.hair or random.random() < 0.3:
            as_trait = random.random() < 0.3
            into[as_trait].append("a bald head" if as_trait else "bald")
    elif mention.hair:
        colour = random.choice(HAIR_EN[character.hair_colour])
        roll = random.random()
        if roll < 0.12:
            adjectives.append(f"{colour}-haired")
        elif roll < 0.3:
            traits.append(f"{colour} hair")
        else:
            traits.append(random.choice(HAIR_STYLES_EN[style]).format(f"{colour} "))
    elif random.random() < 0.3:
        traits.append(random.choice(HAIR_STYLES_EN[style]).format(""))


def _traits_en(character: Character, mention: Mention, random: Random, traits: list[str]) -> None:
    if mention.glasses and character.glasses != "none":
        traits.append(random.choice(GLASSES_EN[character.glasses]))
    elif mention.glasses and random.random() < 0.03:
        traits.append("no glasses")
    if mention.beard and character.beard:
        traits.append(random.choice(BEARDS_EN))
    if mention.skin and character.species in PEOPLE:
        traits.append(random.choice(SKINS_EN[character.skin]))
    if mention.stickers and character.stickers:
        traits.append(random.choice(STICKERS_EN))
    if len(traits) > 1 and random.random() < 0.4:
        random.shuffle(traits)


def _worn_en(character: Character, mention: Mention, random: Random) -> list[str]:
    worn: list[str] = []
    colour = random.choice(CLOTHING_EN[character.clothing_colour])
    if mention.clothes:
        kind = random.choice(CLOTHES_EN[_key(character.clothes)])
        worn.append(_indefinite(f"{colour} {kind}" if mention.clothing_colour else kind))
    elif mention.clothing_colour:
        worn.append(random.choice((f"{colour} clothes", f"{colour}", f"something {colour}")))
    if mention.hat and character.hat != "none":
        worn.append(random.choice(HATS_EN[_key(character.hat)]))
    return worn


def _join_en(head: str, traits: list[str], worn: list[str], random: Random) -> str:
    roll = random.random()
    if roll < 0.3:  # a chain of bare words
        rest = [_bare(words) for words in (*traits, *worn)]
        rest = [words if words not in COLOURS_EN else f"dressed in {words}" for words in rest]
        return ", ".join((head if roll < 0.2 else _bare(head), *rest))
    parts = [head]
    if traits:
        parts.append((" with " if roll < 0.9 else ", who has ") + _listing(traits))
    if worn:
        joiner = random.choice((", wearing ", " wearing ", " in ", ", dressed in ", ", wearing "))
        parts.append(joiner + _listing(worn))
    if random.random() < 0.06:
        parts.append(", " + random.choice(FILLERS_EN))
    return "".join(parts)


def _bare(words: str) -> str:
    return words.removeprefix("a ").removeprefix("an ")


def _listing(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def _describe_zh(character: Character, mention: Mention, random: Random) -> str:
    if mention.species:
        noun = random.choice(NOUNS_ZH[character.species])
    else:
        noun = random.choice(VAGUE_ZH[_vague_kind(character.species)])
    details = [random.choice(BUILDS_ZH[character.build])] if mention.build else []
    if mention.hair and character.species not in PEOPLE and random.random() < 0.5:
        noun = _coloured_noun_zh(character, noun, random)
    else:
        details += _hair_zh(character, mention, random)
    details += _traits_zh(character, mention, random)
    details += _worn_zh(character, mention, random)
    if random.random() < 0.4:
        random.shuffle(details)
    if random.random() < 0.06:
        details.append(random.choice(FILLERS_ZH))
    before = min(len(details), random.choices((0, 1, 2, 9), (40, 35, 15, 10))[0])
    measure = random.choice(_measures(character.species)) if random.random() < 0.88 else ""
    head = "、".join(details[:before]) + "的" if before else ""
    rest = ["瘦瘦的" if d == "瘦瘦" else "胖胖的" if d == "胖胖" else d for d in details[before:]]
    return "，".join((f"{measure}{head}{noun}", *rest))


def _coloured_noun_zh(character: Character, noun: str, random: Random) -> str:
    colour = random.choice(COAT_ZH[character.hair_colour])
    if noun in ("猫", "狗", "兔子", "熊") and random.random() < 0.6:
        return f"{colour[:-1]}{noun}"  # 橘猫
    return f"{colour}{random.choice(('的', '的', ''))}{noun}"


def _measures(species: str) -> tuple[str, ...]:
    if species in ANIMALS:
        return ("一只", "一只", "一个")
    return (
        ("一个", "一台", "一个") if species == "robot" else ("一个", "一个", "一个", "一位", "一名")
    )


def _hair_zh(character: Character, mention: Mention, random: Random) -> list[str]:
    style = character.hair_style
    if character.species not in PEOPLE:
        colour = random.choice(COAT_ZH[character.hair_colour])
        stuff = ("金属", "金属外壳") if character.species == "robot" else ("毛", "皮毛", "毛发")
        words = (f"{colour}", f"{colour}", f"{colour}{random.choice(stuff)}")
        return [random.choice(words)] if mention.hair else []
    if style == "bald":
        bald = mention.hair or random.random() < 0.3
        return [random.choice(("光头", "秃顶", "秃头", "没有头发"))] if bald else []
    if not mention.hair:
        return [random.choice(HAIR_STYLES_ZH[style])] if random.random() < 0.3 else []
    colour = random.choice(HAIR_ZH[character.hair_colour])
    roll = random.random()
    if roll < 0.1:
        return [random.choice((f"一头{colour[:-1]}发", f"{colour[:-1]}发"))]
    if roll < 0.25:
        return [random.choice((f"{colour}头发", f"{colour}的头发", f"头发是{colour}"))]
    verb = random.choice(("", "", "留着", "有着"))
    return [f"{verb}{colour}{random.choice(('', '', '的'))}{random.choice(HAIR_STYLES_ZH[style])}"]


def _traits_zh(character: Character, mention: Mention, random: Random) -> list[str]:
    details: list[str] = []
    wear = random.choice(("戴", "戴着", "戴着"))
    if mention.glasses and character.glasses != "none":
        details.append(wear + random.choice(GLASSES_ZH[character.glasses]))
    elif mention.glasses and random.random() < 0.03:
        details.append("不戴眼镜")
    if mention.beard and character.beard:
        details.append(random.choice(BEARDS_ZH))
    if mention.hat and character.hat != "none":
        details.append(wear + random.choice(HATS_ZH[_key(character.hat)]))
    if mention.skin and character.species in PEOPLE:
        details.append(random.choice(SKINS_ZH[character.skin]))
    if mention.stickers and character.stickers:
        details.append(random.choice(STICKERS_ZH))
    return details


def _worn_zh(character: Character, mention: Mention, random: Random) -> list[str]:
    colour = random.choice(CLOTHING_ZH[character.clothing_colour])
    wear = random.choice(("穿着", "穿着", "穿", "身穿", "身着"))
    if mention.clothes:
        kind = random.choice(CLOTHES_ZH[_key(character.clothes)])
        if mention.clothing_colour:
            forms = (f"{colour}的{kind}", f"{colour}{kind}", f"{colour[:-1]}{kind}")
            kind = random.choice(forms)
        return [wear + kind]
    if mention.clothing_colour:
        forms = (f"{wear}{colour}衣服", f"{wear}{colour}的衣服", f"{wear}{colour[:-1]}衣服")
        return [random.choice(forms)]
    return []


# ---------------------------------------------------------------- the panel
def sample_caption(
    scene: Scene, random: Random, language: Language | None = None
) -> tuple[str, tuple[Mention, ...], SceneMention]:
    """One wording of the scene, with what it gives away."""
    if language is None:
        language = "en" if random.random() < 0.5 else "zh"
    mentions = tuple(sample_mention(random) for _ in scene.actors)
    descriptions = tuple(
        describe(actor.character, mention, random, language)
        for actor, mention in zip(scene.actors, mentions, strict=True)
    )
    scene_mention = sample_scene_mention(random, scene)
    return caption(scene, descriptions, scene_mention, random, language), mentions, scene_mention


def caption(
    scene: Scene,
    descriptions: tuple[str, ...],
    scene_mention: SceneMention,
    random: Random,
    language: Language,
) -> str:
    """The full prompt of a panel; `descriptions` come from `describe`, the left actor's first."""
    tongue = TONGUES[language]
    writer = _Writer(scene, scene_mention, random, tongue)
    if scene.actors:
        core, setting = writer.peopled(descriptions)
    else:
        spot = random.choice(tongue.spots[scene.place])
        core, setting = [random.choice(tongue.empty).format(spot)], []
    setting += writer.time() + writer.papers()
    if random.random() < 0.09:
        setting.append(random.choice(tongue.fillers))
    pieces = writer.ordered(core, setting)
    return _finish(writer.join(pieces), random, language)


def _finish(text: str, random: Random, language: Language) -> str:
    """Habits of typing: capitals, a full stop, which punctuation."""
    roll = random.random()
    if language == "zh":
        text = text + "。" if roll < 0.25 else text
        roll = random.random()
        if roll < 0.2:
            return text.translate(
                _ASCII_PUNCTUATION if roll < 0.12 else _SPACED_PUNCTUATION
            ).strip()
        return text
    text = text + "." if roll < 0.25 else text
    roll = random.random()
    if roll < 0.12:
        return text.lower()
    return text[0].upper() + text[1:] if roll < 0.6 else text


class _Writer:
    """Puts one scene into one language's words."""

    def __init__(self, scene: Scene, mention: SceneMention, random: Random, tongue: Tongue) -> None:
        self.scene, self.mention, self.random, self.tongue = scene, mention, random, tongue
        self.pick = random.choice
        self.names: list[str] = []

    def peopled(self, descriptions: tuple[str, ...]) -> tuple[list[str], list[str]]:
        """The pieces about the actors, and the place where it is not among them."""
        subjects = self.subjects(descriptions)
        place = self.place()
        sentence = self.random.random() < 0.45
        inside = place if sentence and self.random.random() < 0.4 else ""
        if len(subjects) == 1:
            core, used = self.clause(subjects[0], 0, inside, sentence)
        elif self.is_joint():
            core, used = self.joint(subjects, inside, sentence)
        else:
            core, used = self.separate(subjects, inside, sentence)
        return core, [place] if place and not used else []

    def subjects(self, descriptions: tuple[str, ...]) -> list[str]:
        random, tongue = self.random, self.tongue
        if random.random() < 0.45:
            return list(descriptions)
        subjects = []
        table = tongue.foreign_names if random.random() < 0.12 else tongue.names
        for actor, description in zip(self.scene.actors, descriptions, strict=True):
            name = self.pick(table[actor.character.species])
            while name in self.names:
                name = self.pick(table[actor.character.species])
            self.names.append(name)
            brackets = random.random() < 0.1
            opening, closing = ("（", "）") if not tongue.space else (" (", ")")
            plain = f"{name}{tongue.comma}{description}" if description else name
            subjects.append(f"{name}{opening}{description}{closing}" if brackets else plain)
        return subjects

    def place(self) -> str:
        if not self.mention.place:
            return ""
        place = self.pick(self.tongue.places[self.scene.place])
        return place if self.tongue.space else f"在{place}"

    def is_joint(self) -> bool:
        first, second = self.scene.actors
        if self.mention.poses[0] != self.mention.poses[1]:
            return False
        same = first.pose == second.pose and self.random.random() < 0.85
        return same or not self.mention.poses[0]

    def clause(
        self, subject: str, index: int, place: str, sentence: bool
    ) -> tuple[list[str], bool]:
        """One actor's words as pieces, and whether the place is among them."""
        actor, tongue = self.scene.actors[index], self.tongue
        pose = _key(actor.pose) if self.mention.poses[index] else ""
        face = [self.pick(tongue.faces[actor.expression])] * self.mention.expressions[index]
        if sentence and pose:
            core = self.sentence(subject, self.pick(tongue.acts[pose]), place)
            return [core, *face], bool(place)
        if sentence and face:
            core = self.sentence(subject, self.pick(tongue.looks[actor.expression]), place)
            return [core], bool(place)
        doing = [self.pick(tongue.doings[pose])] if pose else []
        pieces = doing + face if self.random.random() < 0.5 else face + doing
        if pieces and self.random.random() < 0.15 and len(self.scene.actors) == 1:
            return [*pieces, subject], False
        return [subject, *pieces], False

    def sentence(self, subject: str, act: str, place: str) -> str:
        if self.tongue.space:
            pause = "," if "," in subject else ""
            return f"{subject}{pause} {act} {place}" if place else f"{subject}{pause} {act}"
        pause = "，" if "，" in subject and self.random.random() < 0.7 else ""
        if place and act.startswith("在") and not act.startswith("在笔"):
            act = act[1:]
        if place and subject.startswith("一") and self.random.random() < 0.5:
            return f"{place[self.random.randrange(2) :]}有{subject}{pause}{act}"
        return f"{subject}{pause}{place}{act}"

    def joint(self, subjects: list[str], place: str, sentence: bool) -> tuple[list[str], bool]:
        """Both actors as one subject: they do the same, or nothing is said of it."""
        tongue, actor = self.tongue, self.scene.actors[0]
        sides = self.random.random() < 0.2
        long = tongue.comma.strip() in subjects[0]
        both = tongue.long_both if long else tongue.both
        subject = self.pick(tongue.sides if sides else both).format(*subjects)
        pieces, used = [subject], False
        if self.mention.poses[0] and sentence and not sides:
            act = self.pick(tongue.joint_acts[_key(actor.pose)])
            pieces, used = [self.sentence(subject, act, place)], bool(place)
        elif self.mention.poses[0]:
            pieces.append(self.pick(tongue.joint_doings[_key(actor.pose)]))
        pieces += self.joint_faces()
        return pieces, used

    def joint_faces(self) -> list[str]:
        first, second = (actor.expression for actor in self.scene.actors)
        tongue, told = self.tongue, self.mention.expressions
        if all(told) and first == second and self.random.random() < 0.9:
            return [self.pick(tongue.joint_faces[first])]
        names: Sequence[str] = self.names or self.pick(tongue.side_names)
        return [
            f"{name}{tongue.space}{self.pick(tongue.looks[expression])}"
            for name, expression, tell in zip(names, (first, second), told, strict=True)
            if tell
        ]

    def separate(self, subjects: list[str], place: str, sentence: bool) -> tuple[list[str], bool]:
        """Each actor in words of its own, the left one first."""
        tongue = self.tongue
        if self.random.random() < 0.25:
            subjects = [
                side + subject for side, subject in zip(tongue.left_right, subjects, strict=True)
            ]
        first, used = self.clause(subjects[0], 0, place, sentence)
        second, _ = self.clause(subjects[1], 1, "", sentence)
        if tongue.space and self.random.random() < 0.5:
            second[0] = self.pick(("and ", "and ", "while ")) + second[0]
        return first + second, used

    def time(self) -> list[str]:
        if not self.mention.night:
            return []
        return [self.pick(self.tongue.times["night" if self.scene.night else "day"])]

    def papers(self) -> list[str]:
        told = self.mention.papers and self.scene.papers
        return [self.pick(self.tongue.papers)] if told else []

    def ordered(self, core: list[str], setting: list[str]) -> list[str]:
        """Actors first in most captions, else the setting; framing and style mostly last."""
        if self.random.random() < 0.3:
            cut = self.random.randint(1, 2)
            pieces = setting[:cut] + core + setting[cut:]
        elif self.random.random() < 0.35 and len(core) > 1 and len(self.scene.actors) == 1:
            pieces = core[:1] + setting[:1] + core[1:] + setting[1:]
        else:
            pieces = core + setting
        framing = _key(self.scene.framing)
        look = [self.pick(self.tongue.framings[framing])] if self.mention.framing else []
        if self.mention.style:
            look.append(self.pick(self.tongue.styles[_key(self.scene.style)]))
        elif self.random.random() < 0.2:
            look.append(self.pick(self.tongue.intros))
        return look + pieces if self.random.random() < 0.15 else pieces + look

    def join(self, pieces: Iterable[str]) -> str:
        """Mostly one comma chain, at times short sentences."""
        roll, tongue = self.random.random(), self.tongue
        if roll < 0.85:
            return tongue.comma.join(pieces)
        text = ""
        for piece in pieces:
            if text:
                stop = self.random.random() < 0.4
                text += tongue.stop if stop else tongue.comma
                piece = piece[0].upper() + piece[1:] if stop else piece
            text += piece
        return text
