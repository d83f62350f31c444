/** The profiles of runs in the mixed load, and the responses of the scripted model. */

/** @typedef {import('./types').LoadProfile} LoadProfile */

const STORY =
	'Once upon a time a llama lived on a high mountain. Every morning it counted the clouds below. One day it met a rabbit, and the two of them counted together until the evening came.';
const PRODUCT = 'Seventeen times twenty-three is three hundred and ninety-one.';

/** @type {import('../support/servers/scripted-reply').ScriptedReply[]} */
export const REPLIES = [
	{ last: 'tool', reply: PRODUCT },
	{
		last: 'user',
		contains: 'times',
		reply: '<tool_call>\n{"name": "Calculator", "arguments": {"input": "17*23"}}\n</tool_call>',
	},
	{ last: 'user', reply: STORY },
];

const ANY = ['reset', 'silence', 'error', 'html', 'cut'];
const ASKS_TOOL = { text: 'What is 17 times 23?', expects: /three hundred and ninety-one/ };

/** The webhook of each is its name in lower case with hyphens. @type {readonly LoadProfile[]} */
export const LOAD_PROFILES = [
	{ name: 'Agent, streamed', weight: 4, faults: [...ANY, 'leave'], way: 'chat', ...ASKS_TOOL },
	{ name: 'Agent, whole', weight: 3, faults: ANY, way: 'webhook', ...ASKS_TOOL },
	{
		name: 'Agent that is stopped',
		weight: 1,
		faults: [],
		always: 'stop',
		way: 'chat',
		text: 'Tell me a story',
		expects: /Once upon/,
	},
	{
		name: 'Vectors',
		weight: 2,
		faults: ANY,
		way: 'webhook',
		text: 'a kitten and a cat',
		expects: /"output":\[-?\d/,
	},
	{
		name: 'Dify chat',
		weight: 2,
		faults: [...ANY, 'leave'],
		way: 'chat',
		text: 'Tell me about the mountains',
		expects: /You said: Tell me about the mountains/,
	},
	{
		name: 'Dify workflow',
		weight: 2,
		faults: ANY,
		way: 'webhook',
		text: 'Summarize the report',
		expects: /done/,
	},
	{
		name: 'Health of both servers',
		weight: 1,
		faults: [],
		way: 'webhook',
		text: 'Are you well?',
		expects: /healthy|degraded/,
	},
];

/** @param {string} name of a profile */
export const toWebhookPath = (name) => `soak-${name.toLowerCase().replace(/\W+/g, '-')}`;
