/** Answers of the scripted model, by the question. */

/** @param {string} input */
const call = (input) =>
	`<tool_call>\n{"name": "Calculator", "arguments": {"input": "${input}"}}\n</tool_call>`;

export const THOUGHT = 'I need a calculator before I can answer.';

export const ANSWERS = {
	greeting: 'Hello from the real server.',
	plan: 'The plan is ready.',
	product: 'All products are known now.',
	story:
		'Once upon a time a small model lived on an old card. It was slow, but it never lied. All who asked it were content.',
};

/** @type {import('../../scripts/lib/types').ScriptedReply[]} */
export const REPLIES = [
	{ last: 'tool', reply: ANSWERS.product },
	{ last: 'user', contains: 'greet', reply: ANSWERS.greeting },
	{
		last: 'user',
		contains: 'plan',
		reply: `<think>\nFirst I weigh it up.\n</think>\n\n${ANSWERS.plan}`,
	},
	{
		last: 'user',
		contains: 'one product',
		reply: `<think>\n${THOUGHT}\n</think>\n\n${call('17*23')}`,
	},
	{
		last: 'user',
		contains: 'both products',
		reply: `<think>\n${THOUGHT}\n</think>\n\n${call('17*23')}\n${call('6*7')}`,
	},
	{ last: 'user', contains: 'long sum', reply: call('1000000000000000000000000') },
	{ last: 'user', contains: 'ponder', reply: '<think>\nSo much to consider, and no end of it' },
	{ last: 'user', contains: 'say nothing', reply: '' },
	{ last: 'user', contains: 'story', reply: ANSWERS.story },
];
