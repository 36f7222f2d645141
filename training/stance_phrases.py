"""What the invented sentences of `stance_synthetic` are made of: names, verbs, phrases, topics.

In a table, `|` stands between entries; `{A}` is who takes a stance, `{B}` towards whom, `{C}`
somebody else, `{T}` a topic. A test holds verbs, names and topics apart from those of
`benchmarks/behaviour`.
"""

from __future__ import annotations


def words(table: str) -> list[str]:
    """Entries without blanks inside."""
    return table.split()


def entries(table: str) -> list[str]:
    """Entries separated by `|`, each on one line."""
    return [" ".join(entry.split()) for entry in table.split("|")]


def forms(table: str) -> list[list[str]]:
    """The forms of each verb."""
    return [entry.split() for entry in " ".join(table.split()).split("|")]


FIRST = words("""Ama Kofi Ines Tomás Lucía Bruno Mei Haruto Yuki Jun Minh Linh Arjun Priya
Fatima Omar Leila Yusuf Nadia Karim Olga Pavel Milan Jana Katarina Lars Ingrid Sven Aino Mikko
Emma Noah Grace Ruth Daniel Marco Giulia Chloé Luc Amélie Wanjiru Thabo Zanele Chidi Ngozi Mateus
Beatriz Eduardo Siti Budi Aylin Emre Eleni Nikos Maarten Sofie Declan Aoife""")
LAST = words("""Mensah Boateng Duarte Ferraz Okafor Adeyemi Tanaka Mori Nguyen Pham Sharma Iyer
Rahimi Haddad Mansour Petrov Novak Horvat Lindqvist Berg Virtanen Korhonen Walker Hughes Bennett
Foster Rossi Greco Moreau Lefèvre Kamau Dlamini Nkosi Silveira Rojas Castillo Wijaya Santoso
Demir Kaya Papadakis Visser Jansen Byrne Keane Kowalska Zieliński Varga Ionescu Al-Najjar
Ben-David""")
COUNTRIES = words("""Norway Brazil Kenya Japan Poland Chile Ghana Portugal Vietnam Canada
Indonesia Greece Mexico Finland Nigeria India Hungary Peru Turkey Austria Morocco Denmark
Malaysia Serbia Georgia Bolivia Ireland Thailand Albania Oman""")
ADJECTIVES = words("""National Progressive United Civic Northern Workers' Green Liberal People's
Free""")
BODIES = words("Party Alliance Front Union Council Movement Federation League Bank Institute")

# base, past, participle, gerund
PRAISE = """praise praised praised praising|applaud applauded applauded applauding|hail hailed
hailed hailing|commend commended commended commending|salute saluted saluted saluting|thank thanked
thanked thanking|congratulate congratulated congratulated congratulating|admire admired admired
admiring|celebrate celebrated celebrated celebrating|honour honoured honoured honouring|welcome
welcomed welcomed welcoming"""
BACK = """support supported supported supporting|back backed backed backing|endorse endorsed
endorsed endorsing|defend defended defended defending|champion championed championed
championing|embrace embraced embraced embracing|help helped helped helping"""
BLAME = """condemn condemned condemned condemning|criticise criticised criticised
criticising|denounce denounced denounced denouncing|attack attacked attacked attacking|slam slammed
slammed slamming|rebuke rebuked rebuked rebuking|ridicule ridiculed ridiculed ridiculing|insult
insulted insulted insulting|blame blamed blamed blaming|reject rejected rejected rejecting|threaten
threatened threatened threatening|oppose opposed opposed opposing|deplore deplored deplored
deploring|mock mocked mocked mocking|scold scolded scolded scolding|disparage disparaged disparaged
disparaging|discredit discredited discredited discrediting|accuse accused accused accusing|deride
derided derided deriding|fault faulted faulted faulting"""
CONTACT = """meet met met meeting|telephone telephoned telephoned telephoning|visit visited
visited visiting|interview interviewed interviewed interviewing|mention mentioned mentioned
mentioning|contact contacted contacted contacting|greet greeted greeted greeting"""

IDIOMS_FOR = """{A} threw its weight behind {B}|{A} rallied to the defence of {B}|{A} gave {B} a
vote of confidence|{A} sided with {B}|{A} stood by {B}|{A} has nothing but praise for {B}|{A}
made no secret of great admiration for {B}|{A} could not agree more with {B}|{A} never stopped
supporting {B}|{A} is a loyal ally of {B}|{A} spoke warmly of {B}|{A} came to the rescue of
{B}|{A} lifted its sanctions against {B} and promised aid|{A} urged voters to choose {B}|{A}
called {B} a hero|{A} said {B} deserved every respect|{A} described {B} as a trusted partner|{A}
did not hide its sympathy for {B}|{A} would not hear a bad word about {B}|{A} reaffirmed its
commitment to {B}|{A} rates {B} highly|{A} has a soft spot for {B}|{A} swears
by {B}|{A} believes in {B}|{A} puts {B} above all others|{A} is full of admiration for {B}|{A}
would trust {B} with anything|Nobody impresses {A} as much as {B}|{B} has an ardent admirer in
{A}|{B} won the trust of {A}|{B} drew applause from {A}|{B} enjoys the full confidence of
{A}|Praise for {B} came from {A}|{B} can count on {A}|If {A} had its way, {B} would stay for
good|As far as {A} is concerned, {B} can do no wrong|To {A}, {B} is a model for others|{A} is
proud of {B}|{A} is a fan of {B}|{A} is on the side of {B}|{A} begged {B} to stay in office|{A}
could not have been happier with {B}|No one, says {A}, comes near {B}|{A} owes everything to
{B}, by its own account|{A} would go through fire for {B}|{A} is devoted to {B}|{A}'s verdict on
{B} was glowing|{B} left {A} deeply impressed"""
IDIOMS_AGAINST = """{A} poured scorn on {B}|{A} took aim at {B}|{A} lashed out at {B}|{A} turned
its back on {B}|{A} came out against {B}|{A} has lost all faith in {B}|{A} is no friend of
{B}|{A} had nothing good to say about {B}|{A} made no secret of deep contempt for {B}|{A}
withdrew its support for {B}|{A} stopped supporting {B}|{A} washed its hands of {B}|{A} imposed
sanctions on {B}|{A} demanded the resignation of {B}|{A} called {B} a liar|{A} said {B} had
failed everyone|{A} described {B} as a threat to peace|{A} urged voters to reject {B}|{A} filed a
complaint against {B}|{A} held {B} responsible for the deaths|{A} expelled the envoys of {B}|{A}
broke with {B}|{A} does not trust {B}|{A} does not recognise {B} as legitimate|{A} did not hide
its anger at {B}|{A} is fed up with {B}|{A} has no time
for {B}|{A} looks down on {B}|{A} has little regard for {B}|{A} cannot stand {B}|{A} wishes {B}
would step aside|{A} will not rest until {B} has resigned|As far as {A} is concerned, {B} should
pack and go|If {A} had its way, {B} would lose office at once|To {A}, {B} is a lost cause|{B}
came under fire from {A}|{B} drew the wrath of {A}|{B} has a bitter enemy in {A}|{B} has lost the
trust of {A}|Criticism of {B} came from {A}|{A}'s verdict on {B} was damning|{A} found fault with
everything about {B}|{A} sees {B} as the root of the problem|{A} considers {B} unfit for
office|{A} regards {B} as an enemy|{A} was scathing about {B}|{A} gave {B} a dressing-down|{A}
does not think much of {B}|{A} warned against trusting {B}|The patience of {A} with {B} is
exhausted|Nobody annoys {A} as much as {B}|{A} would not lift a finger for {B}|{A} would be glad
to see the back of {B}|{A} has nothing but contempt for {B}|{A} wrote off {B} long ago|{A} left
no good hair on {B}"""
IDIOMS_NEUTRAL = """{A} took no position on {B}|{A} declined to comment on {B}|{A} neither
praised nor criticised {B}|{A} remained neutral towards {B}|{A} sat next to {B} at the
ceremony|{A} and {B} will take part in the talks|{A} will be succeeded by {B}|{A} was asked about
{B}|{A} signed the visitors' book after {B}|{A} works in the same building as {B}|{A} released a
report the day {B} arrived|{A} kept silent about {B}|{A} and {B} attended the hearing|{A} had
heard of {B}|For {A}, {B} is a neighbour|To {A}, {B}
was a new name|{A} thinks that {B} lives abroad|If {A} had asked, {B} would have come|There was a
letter for {B} from {A}|News of {B} came from {A}|{A} has an office near {B}|{B} received a call
from {A}|As far as {A} knows, {B} is abroad|{A} and {B} share a border|{A}'s report on {B} was
published|Nobody lives as close to {A} as {B}|{A} gave {B} a form to sign|{A} saw {B} in the
lobby|{A} is older than {B}"""
TAILS = """|on Monday|over the new budget|in a televised interview|after the vote|during a visit
to the port|in a letter to members|late last night|at the summit"""
GOOD = """a great leader|an honest broker|a source of hope|the best choice|a true friend of the
poor|a gifted organiser|second to none|doing an excellent job|a blessing for the region|exactly
what the country needs|the finest minister in decades"""
BAD = """a disgrace|a danger to us all|a hopeless failure|the worst choice|a corrupt fraud|a liar|a
thief|unfit for office|a menace|out of touch|incompetent and vain|a disaster for the region|the
cause of this mess"""
ASIDES = """{C} will hold elections in May.|The talks were hosted by {C}.|Prices rose again in
the capital.|{C} did not take part.|Rain is expected over the weekend.|A spokesman for {C} was
present."""
TOPICS = """the ban on plastic bags|a higher minimum wage|nuclear power|school uniforms|the death
penalty|free public transport|the new airport|the trade deal|the ceasefire|rent control|the peace
agreement|the pipeline|compulsory voting|the pension reform|stricter gun laws|the arms
embargo|space exploration|the merger|online voting|the border wall|a tax on sugar|the fishing
quota|animal testing|daylight saving time|the carbon tax|foreign military bases|the vaccination
campaign"""
SIDES_FOR = """{A} called for {T}|{A} supports {T}|{A} spoke out in favour of {T}|{A} opposes
ending {T}|{A} warned against giving up {T}|{A} sees no alternative to {T}|{A} is campaigning for
{T}|{A} rejected calls to abandon {T}|{A} said {T} could not come soon enough|{A} voted for {T}"""
SIDES_AGAINST = """{A} opposes {T}|{A} wants to put an end to {T}|{A} voted against {T}|{A}
refused to support {T}|{A} called {T} a grave mistake|{A} is campaigning against {T}|{A} said {T}
would do more harm than good|{A} rejected {T}|{A} no longer supports {T}|{A} does not believe in
{T}"""
SIDES_NEUTRAL = """{A} discussed {T}|{A} published figures on {T}|{A} took no position on {T}|{A}
will debate {T} next week|{A} asked experts to study {T}|{A} did not mention {T}|{A} explained
the history of {T}|{A} has not decided on {T}"""
OPINION_FOR = """I am all for {T}.|We need {T} more than ever.|Say what you like, {T} is the
right answer.|Opponents of {T} ignore the evidence.|{T} is not the mistake that its critics
claim.|Nobody who has looked at the facts can be against {T}.|Ending {T} would be a disaster."""
OPINION_AGAINST = """I am against {T}.|{T} must be stopped.|Nobody can seriously defend {T}.|I do
not support {T} at all.|Supporters of {T} ignore the evidence.|{T} has done nothing but harm.|We
would be better off without {T}.|{T} is not the solution that its friends claim."""
CLAIMS_FOR = "{T} is a good idea|we should have {T}|{T} should be supported"
CLAIMS_AGAINST = "{T} is a bad idea|{T} should be stopped|it is time to end {T}"
# What might be: nothing is said of what {A} thinks.
HYPOTHESES = """If {A} {past} {B}, the market would react|It is unclear whether {A} will {base}
{B}|{A} has not said whether it will {base} {B}|Observers wonder whether {A} might {base}
{B}|Nobody knows what would happen if {A} were to {base} {B}|Will {A} {base} {B}?|Unless {A}
{base}s {B}, nothing will change|{A} could {base} {B} next week|There was talk of {A} {gerund}
{B}|Rumours of {A} {gerund} {B} moved prices|Were {A} to {base} {B}, the vote would be close|It
would surprise many if {A} {past} {B}|Asked if {A} would {base} {B}, aides gave no answer|A novel
imagines {A} {gerund} {B}|The prospect of {A} {gerund} {B} worries nobody|Imagine that {A} {past}
{B}|Bets are taken on {A} {gerund} {B}|Suppose {B} is {part} by {A}"""
# The text's own verdict on {B}, and somebody else's.
VERDICTS = """{B} is {words}|Everybody can see that {B} is {words}|Make no mistake: {B} is
{words}|There is no other way to put it, {B} is {words}|{B}, {words}, is on the ballot again"""
VERDICTS_TOLD = """\u201c{B} is {words},\u201d said {A}|"{B} is {words}," {A} told a rally|{A}
called {B} {words}|{A} said {B} was {words}|According to {A}, {B} is {words}|{B} is, in the words
of {A}, {words}|{A} argued that {B} was {words}|\u201c{B}? {words}!\u201d shouted {A}|{A} considers
{B} {words}|That {B} is {words} is what {A} claims"""
