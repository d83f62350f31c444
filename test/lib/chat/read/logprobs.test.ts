import { LogprobList } from '../../../../lib/chat/read/logprobs';

const token = (text = 'a', options = 0) => ({
	token: text,
	logprob: -0.5,
	top_logprobs: Array.from({ length: options }, () => ({ token: 'b', logprob: -1 })),
});

test.each([
	{ count: 8_191, kept: 8_191 },
	{ count: 8_192, kept: 8_192 },
	{ count: 8_193, kept: 0 },
])(
	'of $count tokens, $kept are kept: a part of them would be another answer',
	({ count, kept }) => {
		const list = new LogprobList();
		for (let added = 0; added < count; added += 1_000)
			list.add({ content: Array.from({ length: Math.min(1_000, count - added) }, () => token()) });
		expect(list.tokens).toHaveLength(kept);
	},
);

test.each([
	{ options: 19, kept: 19 },
	{ options: 20, kept: 20 },
	{ options: 21, kept: 20 },
])('of $options options of a token, $kept are kept', ({ options, kept }) => {
	const list = new LogprobList();
	list.add({ content: [token('a', options)] });
	expect(list.tokens[0]!.top_logprobs).toHaveLength(kept);
});

test.each([
	{ logprobs: undefined, tokens: [] },
	{ logprobs: { content: null }, tokens: [] },
	{ logprobs: { content: ['a', { token: 'b' }] }, tokens: [{ token: 'b', top_logprobs: [] }] },
	{
		logprobs: { content: [{ token: 5, logprob: '1' }] },
		tokens: [{ token: '', top_logprobs: [] }],
	},
	{
		logprobs: { content: [{ token: 'c'.repeat(1_001), logprob: 0 }] },
		tokens: [{ token: 'c'.repeat(1_000), logprob: 0, top_logprobs: [] }],
	},
])('$logprobs has its tokens', ({ logprobs, tokens }) => {
	const list = new LogprobList();
	list.add(logprobs);
	expect(list.tokens).toEqual(tokens);
});
