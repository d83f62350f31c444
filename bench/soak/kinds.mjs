/** The kinds of runs in the mixed load, and the scripted model's replies to them. */

/** @typedef {import('./types').Kind} Kind */

const STORY =
	'Once upon a time a llama lived on a high mountain. Every morning it counted the clouds below. One day it met a rabbit, and the two of them counted together until the evening came.';
const PRODUCT = 'Seventeen times twenty-three is three hundred and ninety-one.';

/** @type {import('../../scripts/lib/types').ScriptedReply[]} */
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

/** The webhook of each is its name in lower case with hyphens. @type {readonly Kind[]} */
export const KINDS = [
	{
		name: 'Agent with a tool, streamed',
		weight: 4,
		proxy: 'any',
		faults: [...ANY, 'garbage', 'leave'],
		way: 'chat',
		text: 'What is 17 times 23?',
		expects: /three hundred and ninety-one/,
	},
	{
		name: 'Agent with a tool, not streamed',
		weight: 3,
		proxy: 'any',
		faults: [...ANY, 'garbage', 'leave'],
		way: 'webhook',
		text: 'What is 17 times 23?',
		expects: /three hundred and ninety-one/,
	},
	{
		name: 'Agent with two servers',
		weight: 2,
		proxy: 'flaky',
		faults: ['reset', 'error', 'html'],
		way: 'webhook',
		text: 'Tell me a story',
		expects: /counted together/,
	},
	{
		name: 'Vector store',
		weight: 2,
		alone: true,
		proxy: 'any',
		faults: ANY,
		way: 'webhook',
		text: 'a kitten and a cat',
		expects: /kitten/,
	},
	{
		name: 'Local Llama chat, streamed',
		weight: 2,
		proxy: 'any',
		faults: [...ANY, 'garbage', 'leave'],
		way: 'chat',
		text: 'Tell me a story',
		expects: /counted together/,
	},
	{
		name: 'Local Llama tokens and vectors',
		weight: 2,
		proxy: 'any',
		faults: ANY,
		way: 'webhook',
		text: 'How many tokens has this text?',
		expects: /dimensions|embedding/,
	},
	{
		name: 'Dify chat, streamed',
		weight: 2,
		proxy: 'any',
		faults: [...ANY, 'leave'],
		way: 'chat',
		text: 'Tell me about the mountains',
		// The second text is the control's answer, which comes from the model.
		expects: /You said: Tell me about the mountains|counted together/,
	},
	{
		name: 'Dify workflow',
		weight: 2,
		proxy: 'any',
		faults: ANY,
		way: 'webhook',
		text: 'Summarize the report',
		expects: /done/,
	},
	{
		name: 'Agent that is stopped',
		weight: 1,
		alone: true,
		proxy: 'any',
		faults: [],
		always: 'stop',
		way: 'chat',
		text: 'Tell me a story',
		expects: /Once upon/,
	},
	{
		name: 'Health of three servers',
		weight: 1,
		proxy: '',
		faults: [],
		way: 'webhook',
		text: 'Are you well?',
		expects: /healthy|degraded|"id"/,
	},
];

/** @param {string} name of a kind */
export const pathOf = (name) => `soak-${name.toLowerCase().replace(/\W+/g, '-')}`;
