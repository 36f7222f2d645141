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
    """The four forms of each verb; `_` joins the words of one form."""
    verbs = [entry.split() for entry in " ".join(table.split()).split("|")]
    return [[form.replace("_", " ") for form in verb] for verb in verbs]


def regular(table: str) -> list[list[str]]:
    """The four forms of regular verbs that double no letter; `_` joins a verb and what follows."""
    found = []
    for entry in table.split():
        base, *rest = entry.split("_")
        stem = base[:-1] if base.endswith(("e", "y")) else base
        past = f"{stem}ied" if base[-1] == "y" and base[-2] not in "aeou" else f"{base}ed"
        past = f"{base}d" if base.endswith("e") else past
        gerund = f"{stem}ing" if base.endswith("e") else f"{base}ing"
        found.append([" ".join([form, *rest]) for form in (base, past, past, gerund)])
    return found


FIRST = words("""Ama Kofi Ines Tomás Lucía Bruno Mei Haruto Yuki Jun Minh Linh Arjun Priya
Fatima Omar Leila Yusuf Nadia Karim Olga Pavel Milan Jana Katarina Lars Ingrid Sven Aino Mikko
Emma Noah Grace Ruth Daniel Marco Giulia Chloé Luc Amélie Wanjiru Thabo Zanele Chidi Ngozi Mateus
Beatriz Eduardo Siti Budi Aylin Emre Eleni Nikos Maarten Sofie Declan Aoife James Sarah Michael
Laura Peter Helen Thomas Anna Robert Julia William Carmen José Rosa Carlos Elena Andrei Irina Viktor
Natalia Ahmed Mona Ali Zahra Reza Maryam Ravi Sunita Anil Deepa Kenji Akiko Min-jun Seo-yeon Wei
Xin Jian Hong Ibrahim Aisha Samuel Esther Kwame Abena Jamal Tanisha Malik Imani""")
LAST = words("""Mensah Boateng Duarte Ferraz Okafor Adeyemi Tanaka Mori Nguyen Pham Sharma Iyer
Rahimi Haddad Mansour Petrov Novak Horvat Lindqvist Berg Virtanen Korhonen Walker Hughes Bennett
Foster Rossi Greco Moreau Lefèvre Kamau Dlamini Nkosi Silveira Rojas Castillo Wijaya Santoso
Demir Kaya Papadakis Visser Jansen Byrne Keane Kowalska Zieliński Varga Ionescu Al-Najjar
Ben-David Harris Clark Robinson Cohen Stein Müller Schmidt Hoffmann Bianchi Romano Dubois Laurent
García Fernández Torres Molina Pereira Almeida Andersson Nilsson Hansen Olsen Kuznetsov Ivanova
Shevchenko Bondarenko Dimitrov Popescu Nagy Kovács Yilmaz Öztürk Aydin Hosseini Karimi Khoury
Saleh Aziz Qureshi Chowdhury Banerjee Patel Singh Perera Suzuki Nakamura Kim Lee Choi Chen Wang Liu
Tran Le Santos Reyes Abebe Tesfaye Mwangi Otieno Ndlovu Khumalo Diallo Traoré Osei Bello Musa
Ibrahim""")
COUNTRIES = words("""Norway Brazil Kenya Japan Poland Chile Ghana Portugal Vietnam Canada
Indonesia Greece Mexico Finland Nigeria India Hungary Peru Turkey Austria Morocco Denmark
Malaysia Serbia Georgia Bolivia Ireland Thailand Albania Oman France Germany Italy Spain
China Ukraine Israel Egypt Jordan Qatar Pakistan Australia Sweden Britain Cuba
Angola Kazakhstan Uruguay Croatia""")
ADJECTIVES = words("""National Progressive United Civic Northern Workers' Green Liberal People's
Free General Southern Central Christian Islamic Socialist Independent American European
African Asian Royal Federal International""")
BODIES = words("""Party Alliance Front Union Council Movement Federation League Bank Institute
Society Committee Association Foundation Army Ministry Club University Commission""")

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

# Verbs of one form are enough where the rest follows from it.
PRAISE_REGULAR = words("""acclaim respect revere appreciate cherish adore idolise toast bless
glorify venerate treasure prize value reward trust flatter credit decorate enthuse_over rave_about
marvel_at gush_over look_kindly_on""")
BACK_REGULAR = words("""assist aid shield protect promote bolster encourage rescue sponsor recommend
befriend favour nominate strengthen rally_behind root_for campaign_for lobby_for
side_openly_with stick_by""")
BACK_MORE = """uphold upheld upheld
upholding|stand_up_for stood_up_for stood_up_for standing_up_for|speak_up_for spoke_up_for
spoken_up_for speaking_up_for|stick_up_for stuck_up_for stuck_up_for sticking_up_for|fight_for
fought_for fought_for fighting_for|stand_with stood_with stood_with standing_with"""
BLAME_REGULAR = words("""decry castigate upbraid reprimand reproach admonish pillory skewer assail
savage malign slander defame revile abhor hate dislike distrust resent spurn boycott humiliate
belittle bash trash roast blast taunt heckle harangue demonise stigmatise antagonise repudiate
disown undermine sabotage betray bully provoke intimidate menace curse damn impugn obstruct punish
sanction bomb invade lampoon besmirch snipe_at sneer_at jeer_at rage_against protest_against
rail_against fulminate_against inveigh_against agitate_against turn_against lash_out_at hit_back_at
complain_about grumble_about warn_against campaign_against """)
BLAME_MORE = """shun shunned shunned shunning|plot_against plotted_against
plotted_against
plotting_against|hit_out_at hit_out_at hit_out_at hitting_out_at|lay_into laid_into laid_into
laying_into|tear_into tore_into torn_into tearing_into|speak_out_against spoke_out_against
spoken_out_against speaking_out_against|rap rapped rapped rapping|snub snubbed snubbed
snubbing|fight fought fought fighting|swear_at swore_at sworn_at swearing_at|run_down ran_down
run_down running_down|take_to_task took_to_task taken_to_task taking_to_task"""
CONTACT_REGULAR = words("""phone email join follow accompany precede succeed replace describe quote
cite question brief inform notify photograph film invite host approach study profile
portray resemble outlive depart_before arrive_after talk_to dine_with work_with
correspond_with listen_to  look_at wait_on""")
CONTACT_MORE = """refer_to referred_to referred_to referring_to|chat_with chatted_with
chatted_with chatting_with|overtake overtook overtaken
overtaking|see saw seen seeing|run_into ran_into run_into running_into|sit_beside sat_beside
sat_beside sitting_beside|hear_about heard_about heard_about hearing_about|speak_to spoke_to
spoken_to speaking_to|write_to wrote_to written_to writing_to|teach taught taught teaching"""
MANNERS = words("""publicly openly strongly repeatedly again sharply clearly often loudly quietly
once promptly unexpectedly later also""")
# How a sentence begins, and what can stand between who takes a stance and the verb.
LEADS = """Speaking in parliament,|In a letter that was published on Friday,|At a rally in the
north,|During the debate,|In a rare interview,|As the talks began,|After weeks of silence,|On social
media,|In front of a large crowd,|Asked by reporters,|To everybody's surprise,|For the second time
this year,|Before the vote,|In an article for a newspaper,|According to the minutes,"""
INSERTS = """whose headquarters had been closed for repairs for most of the year|who had not been
seen in the capital since the spring|better known for books about the sea|elected by a narrow
majority in March|after a long night without sleep|in spite of the heat and the noise in the
square|famous in the provinces but hardly abroad|which had published its accounts that
morning|accompanied by two aides and a translator|who grew up by the river and studied law"""
BYSTANDING = """{C} gave a concert.|{C} arrived by train.|{C} planted a tree.|{C} published a
calendar.|{C} was on holiday.|{C} bought a house by the lake.|{C} had spoken first.|{C} opened the
session.|{C} moved to another town.|{C} read out the agenda.|{C} paid for the lunch."""
FILLERS = """The weather had been dry for weeks.|Trams ran as usual.|Nobody was hurt.|Shops closed
early.|The hall was full by six.|It was a quiet week otherwise.|Music played in the street.|The roof
is being repaired.|Tickets had sold out in May.|The session lasted for three hours."""
TURNED = """{A} walked in. After a pause, {who} {past} {B}|{A} took the floor. In a voice that
shook, {who} {past} {B}|{A} did not keep them waiting. {who} {past} {B} before the coffee was
served|Then it was the turn of {A}. {who} {past} {B}"""
WHO = "the speaker|the visitor|the delegate|the newcomer"

IDIOMS_FOR = """{A} threw its weight behind {B}|{A} rallied to the defence of {B}|{A} gave {B} a
vote of confidence|{A} sided with {B}|{A} stood by {B}|{A} has nothing but praise for {B}|{A} made
no secret of great admiration for {B}|{A} could not agree more with {B}|{A} never stopped supporting
{B}|{A} is a loyal ally of {B}|{A} spoke warmly of {B}|{A} came to the rescue of {B}|{A} lifted its
sanctions against {B} and promised aid|{A} urged voters to choose {B}|{A} called {B} a hero|{A} said
{B} deserved every respect|{A} described {B} as a trusted partner|{A} did not hide its sympathy for
{B}|{A} would not hear a bad word about {B}|{A} reaffirmed its commitment to {B}|{A} rates {B}
highly|{A} has a soft spot for {B}|{A} swears by {B}|{A} believes in {B}|{A} puts {B} above all
others|{A} is full of admiration for {B}|{A} would trust {B} with anything|Nobody impresses {A} as
much as {B}|{B} has an ardent admirer in {A}|{B} won the trust of {A}|{B} drew applause from {A}|{B}
enjoys the full confidence of {A}|Praise for {B} came from {A}|{B} can count on {A}|If {A} had its
way, {B} would stay for good|As far as {A} is concerned, {B} can do no wrong|To {A}, {B} is a model
for others|{A} is proud of {B}|{A} is a fan of {B}|{A} is on the side of {B}|{A} begged {B} to stay
in office|{A} could not have been happier with {B}|No one, says {A}, comes near {B}|{A} owes
everything to {B}, by its own account|{A} would go through fire for {B}|{A} is devoted to {B}|{A}'s
verdict on {B} was glowing|{B} left {A} deeply impressed|{A} considers {B} the best of all|{A} could
listen to {B} for hours|{A} is over the moon about {B}|{A} has the greatest respect for {B}|{A} has
a high opinion of {B}|{A} has great faith in {B}|{A} holds {B} dear|{A} thinks highly of {B}|{A}
thinks {B} is wonderful|{A} would follow {B} anywhere|{A} sings the praises of {B}|{A} is in awe of
{B}|{A} is smitten with {B}|{A} takes its hat off to {B}|{A} never misses a chance to plug {B}|{A}
wants {B} to succeed|{A} wants {B} to stay on|{A} is calling for the release of {B}|{A} is asking
for more power for {B}|{A} offered {B} all possible help|{A} extended a hand of friendship to
{B}|{A} had kind words for {B}|{A} lit a candle for {B}|{A} shares the views of {B}|{A} is happy
with {B}|{A} is grateful to {B}|{A} came away charmed by {B}|{A} has complete trust in {B}|{A}
opened its arms to {B}|In the opinion of {A}, {B} is without equal|In the eyes of {A}, {B} is a
hero|In {A}'s book, {B} ranks first|For {A}, {B} is simply the best|For {A}, no one else comes close
to {B}|For {A}, there is only {B}|Nobody is dearer to {A} than {B}|No one stands higher with {A}
than {B}|Were it for {A} to decide, {B} would be promoted today|If {A} could choose, {B} would lead
for ever|If it depended on {A}, {B} would win|There was lavish praise for {B} from {A}|There was
support for {B} from {A}|There were cheers for {B} from {A}|Warm thanks to {B} came from {A}|{B} has
a friend in {A}|{B} found a defender in {A}|{B} is the pride of {A}|{B} is the darling of {A}|{B} is
much loved by {A}|{B} is admired by {A}|{B} has the blessing of {A}|{B} was welcomed with open arms
by {A}|{B} received a standing ovation from {A}|{A}: "{B} is right"|{A} finds {B} brilliant|{A}
finds no fault with {B}|{A} agrees with {B}|{A} raves about {B}|{A} will always be there for {B}|{A}
sprang to the aid of {B}|{A} and others back {B}|{A} tells everybody how good {B} is"""
IDIOMS_AGAINST = """{A} poured scorn on {B}|{A} took aim at {B}|{A} lashed out at {B}|{A} turned its
back on {B}|{A} came out against {B}|{A} has lost all faith in {B}|{A} is no friend of {B}|{A} had
nothing good to say about {B}|{A} made no secret of deep contempt for {B}|{A} withdrew its support
for {B}|{A} stopped supporting {B}|{A} washed its hands of {B}|{A} imposed sanctions on {B}|{A}
demanded the resignation of {B}|{A} called {B} a liar|{A} said {B} had failed everyone|{A} described
{B} as a threat to peace|{A} urged voters to reject {B}|{A} filed a complaint against {B}|{A} held
{B} responsible for the deaths|{A} expelled the envoys of {B}|{A} broke with {B}|{A} does not trust
{B}|{A} does not recognise {B} as legitimate|{A} did not hide its anger at {B}|{A} is fed up with
{B}|{A} has no time for {B}|{A} looks down on {B}|{A} has little regard for {B}|{A} cannot stand
{B}|{A} wishes {B} would step aside|{A} will not rest until {B} has resigned|As far as {A} is
concerned, {B} should pack and go|If {A} had its way, {B} would lose office at once|To {A}, {B} is a
lost cause|{B} came under fire from {A}|{B} drew the wrath of {A}|{B} has a bitter enemy in {A}|{B}
has lost the trust of {A}|Criticism of {B} came from {A}|{A}'s verdict on {B} was damning|{A} found
fault with everything about {B}|{A} sees {B} as the root of the problem|{A} considers {B} unfit for
office|{A} regards {B} as an enemy|{A} was scathing about {B}|{A} gave {B} a dressing-down|{A} does
not think much of {B}|{A} warned against trusting {B}|The patience of {A} with {B} is
exhausted|Nobody annoys {A} as much as {B}|{A} would not lift a finger for {B}|{A} would be glad to
see the back of {B}|{A} has nothing but contempt for {B}|{A} wrote off {B} long ago|{A} left no good
hair on {B}|{A} considers {B} the worst of all|{A} has a poor opinion of {B}|{A} has no respect for
{B}|{A} has serious doubts about {B}|{A} thinks poorly of {B}|{A} thinks nothing of {B}|{A} thinks
{B} is dreadful|{A} has no faith in {B}|{A} loses no chance to sneer at {B}|{A} is furious with
{B}|{A} is disgusted by {B}|{A} is sick of {B}|{A} is at odds with {B}|{A} is on a collision course
with {B}|{A} is dead set against {B}|{A} wants {B} out|{A} wants to be rid of {B}|{A} wants {B}
behind bars|{A} wants to see {B} fail|{A} is asking for the dismissal of {B}|{A} is demanding that
{B} resign|{A} is calling for the arrest of {B}|{A} called for a boycott of {B}|{A} had bitter words
for {B}|{A} had angry words for {B}|{A} hung up on {B}|{A} spat at the mention of {B}|{A} tore up
its treaty with {B}|{A} rejects everything {B} stands for|{A} disagrees with {B}|{A} is unhappy with
{B}|{A} is sceptical of {B}|{A} finds {B} unbearable|{A} finds {B} ridiculous|{A} gave {B} a piece
of its mind|{A} gave {B} the cold shoulder|{A} cut all ties with {B}|{A} went to court against
{B}|{A} slammed the door on {B}|{A} dragged {B} through the mud|{A} pointed the finger at {B}|{A}
closed its doors to {B}|In the opinion of {A}, {B} is a fraud|In {A}'s book, {B} ranks last|In the
view of {A}, {B} is good for nothing|For {A}, {B} is an embarrassment|For {A}, there is no one worse
than {B}|For {A}, {B} is finished|Nobody is more hateful to {A} than {B}|Were it for {A} to decide,
{B} would be sacked today|If {A} could choose, {B} would never return|If it depended on {A}, {B}
would be gone by morning|If {A} were in charge, {B} would be dismissed|Had {A} its way, {B} would be
replaced|There was harsh criticism of {B} from {A}|There was anger at {B} from {A}|There were boos
for {B} from {A}|Scathing remarks about {B} came from {A}|{B} has a foe in {A}|{B} found a fierce
critic in {A}|{B} is the shame of {A}|{B} is a thorn in the side of {A}|{B} is hated by {A}|{B} got
a frosty reception from {A}|{B} was turned away by {A}|{A}: "{B} is wrong"|{A} accuses {B} of
everything under the sun|{A} puts the blame squarely on {B}|{A} has declared war on {B}|{A} is out
to destroy {B}|{A} and others oppose {B}|{A} tells everybody how bad {B} is"""
IDIOMS_NEUTRAL = """{A} took no position on {B}|{A} declined to comment on {B}|{A} neither praised
nor criticised {B}|{A} remained neutral towards {B}|{A} sat next to {B} at the ceremony|{A} and {B}
will take part in the talks|{A} will be succeeded by {B}|{A} was asked about {B}|{A} signed the
visitors' book after {B}|{A} works in the same building as {B}|{A} released a report the day {B}
arrived|{A} kept silent about {B}|{A} and {B} attended the hearing|{A} had heard of {B}|For {A}, {B}
is a neighbour|To {A}, {B} was a new name|{A} thinks that {B} lives abroad|If {A} had asked, {B}
would have come|There was a letter for {B} from {A}|News of {B} came from {A}|{A} has an office near
{B}|{B} received a call from {A}|As far as {A} knows, {B} is abroad|{A} and {B} share a border|{A}'s
report on {B} was published|Nobody lives as close to {A} as {B}|{A} gave {B} a form to sign|{A} saw
{B} in the lobby|{A} is older than {B}|{A} thinks of {B} as a place to visit|For {A}, {B} was the
third guest of the day|In the opinion of {A}, {B} is in the north|If it depended on {A}, {B} would
arrive earlier|If {A} is late, {B} will speak first|In {A}'s book, {B} is mentioned twice|There was
a message for {B} from {A}|There was a call to {B} from {A}|A parcel for {B} came from {A}|{B} has
an interview with {A}|{A} wants {B} to answer|{A} is asking for the address of {B}|{A} has a meeting
with {B}|{A} and others know {B}|{A} tells everybody when {B} is due|{A} and {B} use the same
lawyer|{A} read about {B}|{A} shook hands with {B}|{A} wrote a report about {B}|{A} will vote after
{B}|{A} counted the votes for {B}|{A} passed the salt to {B}|{A} lent a pen to {B}|{A} took the same
train as {B}|{B} is the neighbour of {A}|{B} is quoted by {A}|{A} did not mention {B}|{A} is younger
than {B}|{A} followed {B} on stage|The list has {A}, {B} and {C}|{A} took notes while {B} spoke|{A}
introduced {B} to {C}|{A} was seated between {B} and {C}|{A} asked {B} for the time"""
TAILS = """|on Monday|over the new budget|in a televised interview|after the vote|during a visit
to the port|in a letter to members|late last night|at the summit"""
GOOD = """a great leader|an honest broker|a source of hope|the best choice|a true friend of the
poor|a gifted organiser|second to none|doing an excellent job|a blessing for the region|exactly what
the country needs|the finest minister in decades|an inspiration|a saint|a genius|brave and wise|a
pleasure to work with|the best thing that ever happened to us|a rare talent|the pride of the
nation|honest to the bone|a hero|a credit to the profession|always right|wonderful|outstanding"""
BAD = """a disgrace|a danger to us all|a hopeless failure|the worst choice|a corrupt fraud|a liar|a
thief|unfit for office|a menace|out of touch|incompetent and vain|a disaster for the region|the
cause of this mess|a coward|a criminal|a fool|a cheat|a swindler|a traitor|a bully|a tyrant|a
clown|a hypocrite|a disappointment|the worst thing that ever happened to us|rotten to the core|not
to be trusted|a puppet|a warmonger|dishonest and lazy|always wrong|a scoundrel|dreadful"""
ASIDES = """{C} will hold elections in May.|The talks were hosted by {C}.|Prices rose again in
the capital.|{C} did not take part.|Rain is expected over the weekend.|A spokesman for {C} was
present."""
TOPICS = """the ban on plastic bags|a higher minimum wage|nuclear power|school uniforms|the death
penalty|free public transport|the new airport|the trade deal|the ceasefire|rent control|the peace
agreement|the pipeline|compulsory voting|the pension reform|stricter gun laws|the arms
embargo|space exploration|the merger|online voting|the border wall|a tax on sugar|the fishing
quota|animal testing|daylight saving time|the carbon tax|foreign military bases|the vaccination
campaign"""
SIDES_FOR = """{A} called for {T}|{A} supports {T}|{A} spoke out in favour of {T}|{A} opposes ending
{T}|{A} warned against giving up {T}|{A} sees no alternative to {T}|{A} is campaigning for {T}|{A}
rejected calls to abandon {T}|{A} said {T} could not come soon enough|{A} voted for {T}|{A} is in
favour of {T}|{A} believes in {T}|{A} thinks that the country needs {T}|{A} is against abolishing
{T}|{A} fought for {T} for a decade|{A} objects to the end of {T}|{A} wants the government to bring
in {T}|{A} urged ministers to keep {T}|{A} is a champion of {T}|{A} opposes every attempt to stop
{T}|{A} resists plans to do away with {T}|{A} welcomes {T}|{A} promised to protect {T}"""
SIDES_AGAINST = """{A} opposes {T}|{A} wants to put an end to {T}|{A} voted against {T}|{A}
refused to support {T}|{A} called {T} a grave mistake|{A} is campaigning against {T}|{A} said {T}
would do more harm than good|{A} rejected {T}|{A} no longer supports {T}|{A} does not believe in
{T}|{A} is against {T}|{A} has fought {T} for a decade|{A} wants the government to drop
{T}|{A} urged ministers to end {T}|{A} is a foe of {T}|{A} promised to abolish {T}|{A} wants {T}
repealed|{A} would get rid of {T} at once|{A} supports plans to do away with {T}|{A} resists {T}|{A}
signed a petition against {T}|{A} thinks that the country can do without {T}|{A} wants to see {T}
abolished"""
SIDES_NEUTRAL = """{A} discussed {T}|{A} published figures on {T}|{A} took no position on {T}|{A}
will debate {T} next week|{A} asked experts to study {T}|{A} did not mention {T}|{A} explained the
history of {T}|{A} has not decided on {T}|{A} is writing a book on {T}|{A} teaches a course about
{T}|{A} chaired a meeting on {T}|{A} listed the arguments for and against {T}|{A} asked when {T}
would be discussed|{A} counted the votes on {T}|{A} reported on {T}"""
OPINION_FOR = """I am all for {T}.|We need {T} more than ever.|Say what you like, {T} is the right
answer.|Opponents of {T} ignore the evidence.|{T} is not the mistake that its critics claim.|Nobody
who has looked at the facts can be against {T}.|Ending {T} would be a disaster.|{T} was the best
decision in years.|Finally, {T}!|Hands off {T}!|Do not touch {T}.|Thank God for {T}.|I have never
regretted voting for {T}.|Without {T} we would be lost.|{T} saved our village.|I will always defend
{T}.|Those who want to abolish {T} have no idea.|Give us {T} now!|It is high time for {T}.|{T}
works, and everybody knows it.|I cannot see what is wrong with {T}.|{T} is worth every cent.|People
who complain about {T} should think again.|What a blessing {T} has been."""
OPINION_AGAINST = """I am against {T}.|{T} must be stopped.|Nobody can seriously defend {T}.|I do
not support {T} at all.|Supporters of {T} ignore the evidence.|{T} has done nothing but harm.|We
would be better off without {T}.|{T} is not the solution that its friends claim.|{T} was the worst
decision in years.|Enough of {T}!|Away with {T}!|Get rid of {T}.|I have always fought {T} and will
go on.|{T} has destroyed our village.|I will never accept {T}.|Those who want to keep {T} have no
idea.|Spare us {T}!|It is high time that {T} ended.|{T} does not work, and everybody knows it.|I
cannot see what is good about {T}.|{T} is a waste of money.|People who praise {T} should think
again.|What a curse {T} has been.|{T} has made life here unbearable.|Scrapping {T} is the only
way."""
CLAIMS_FOR = """{T} is a good idea|we should have {T}|{T} should be supported|{T} deserves a
chance|{T} ought to stay|it is right to have {T}|{T} does more good than harm|people benefit from
{T}|we must keep {T}|it would be wrong to end {T}|{T} is worth defending|nobody should scrap {T}|the
critics of {T} are wrong|{T} is needed"""
CLAIMS_AGAINST = """{T} is a bad idea|{T} should be stopped|it is time to end {T}|{T} ought to be
banned|{T} does more harm than good|we should get rid of {T}|{T} has no place here|it would be wrong
to keep {T}|{T} is not worth it|nobody needs {T}|{T} should be scrapped|the critics of {T} are
right|{T} must not go on|it would be best to abandon {T}"""
# What somebody did, and what it says of them.
DEEDS_GOOD = """kept every promise|saved the town|worked wonders|done an excellent job|shown great
courage|turned the company around|made everybody proud|earned every medal|acted wisely|set a fine
example|stood up for the weak|performed superbly"""
DEEDS_BAD = """broken every promise|ruined the town|wasted public money|done a terrible job|shown
great cowardice|run the company into the ground|embarrassed everybody|lied from the first day|acted
foolishly|set a shameful example|stolen from the poor|failed miserably"""
DEEDS_TOLD = """{A} said that {B} had {deed}|\u201c{B} has {deed},\u201d {A} said|"{B} has {deed},"
said {A}|{A} argued that {B} had {deed}|{B} had {deed}, {A} wrote|According to {A}, {B} has
{deed}|{A} believes that {B} has {deed}|{A} told the panel that {B} had {deed}"""
DEEDS_OWN = """{B} has {deed}|Once again {B} has {deed}|There is no doubt that {B} has {deed}|{B}
has {deed}, and it shows"""
# What might be: nothing is said of what {A} thinks.
HYPOTHESES = """If {A} {past} {B}, the market would react|It is unclear whether {A} will {base}
{B}|{A} has not said whether it will {base} {B}|Observers wonder whether {A} might {base} {B}|Nobody
knows what would happen if {A} were to {base} {B}|Will {A} {base} {B}?|Unless {A} {present} {B},
nothing will change|{A} could {base} {B} next week|There was talk of {A} {gerund} {B}|Rumours of {A}
{gerund} {B} moved prices|Were {A} to {base} {B}, the vote would be close|It would surprise many if
{A} {past} {B}|Asked if {A} would {base} {B}, aides gave no answer|A novel imagines {A} {gerund}
{B}|The prospect of {A} {gerund} {B} worries nobody|Imagine that {A} {past} {B}|Bets are taken on
{A} {gerund} {B}|Suppose {B} is {part} by {A}|Whether {A} will {base} {B} is not known|Had {A}
{part} {B}, nothing would be different|Should {A} ever {base} {B}, bets would be paid|A reporter
asked whether {A} would {base} {B}|They discussed what would happen if {A} {past} {B}|Perhaps {A}
will {base} {B} one day|It is not for us to say whether {A} should {base} {B}|Nobody has asked {A}
to {base} {B}|There is speculation about {A} {gerund} {B}"""
# The text's own verdict on {B}, and somebody else's.
VERDICTS = """{B} is {words}|Everybody can see that {B} is {words}|Make no mistake: {B} is
{words}|There is no other way to put it, {B} is {words}|{B}, {words}, is on the ballot again|Let us
be clear: {B} is {words}|Once more {B} has shown what {B} is: {words}|We all know that {B} is
{words}"""
VERDICTS_TOLD = """\u201c{B} is {words},\u201d said {A}|"{B} is {words}," {A} told a rally|{A}
called {B} {words}|{A} said {B} was {words}|According to {A}, {B} is {words}|{B} is, in the words of
{A}, {words}|{A} argued that {B} was {words}|\u201c{B}? {words}!\u201d shouted {A}|{A} considers {B}
{words}|That {B} is {words} is what {A} claims|\u201c{B} is {words},\u201d {A} said|"{B} is
{words}," {A} said|{A}: \u201c{B} is {words}.\u201d|\u201c{B} is {words},\u201d {A} told
reporters|{A} said that {B} was {words}|{A} said that {B} had always been {words}|{A} wrote: "{B} is
{words}."|{A} believes that {B} is {words}|For {A}, {B} is {words}|{A} thinks {B} is {words}|{A}
insisted that {B} was {words}|"{B} is {words}," according to {A}|\u201cI tell you,\u201d {A} said,
\u201c{B} is {words}\u201d"""
