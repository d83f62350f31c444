import fc from 'fast-check';

import { optionsIn } from '../../../../nodes/LocalLlama/text/decide/question-fields';
import { reply } from '../../../servers/llama-server';
import { useLocalLlama } from '../run-node';

jest.mock('../../../../lib/http/waiting', () =>
	jest.requireActual<object>('../../../support/skipped-pauses'),
);

const { serve, prepare, executeIn, json, failure, sent } = useLocalLlama();

const ROUTE = {
	name: 'route',
	kind: 'choice',
	question: 'Who should answer?',
	options: 'billing: invoices and refunds\nsales',
};
const URGENCY = { name: 'urgency', kind: 'score', question: 'How urgent?', levels: 'later\nnow' };
const PERSON = { name: 'person', kind: 'yesNo', question: 'Must a person see it?', yes: 'angry' };
const DECIDE = { resource: 'text', operation: 'decide', text: 'I was charged twice.' };
const asking = (...question: object[]) => ({ ...DECIDE, questions: { question } });
const listing = (questionList: unknown) => ({
	...DECIDE,
	questionsFrom: 'expression',
	questionList,
});
const SYSTEM_ONE = 'POST /v1/systemone';

interface Answer {
	answer: unknown;
	probability?: number;
	probabilities?: Record<string, number>;
	undecided: boolean;
}
const answersOf = (item: Record<string, unknown>) => item.answers as Record<string, Answer>;
const answering = (answers: object) =>
	reply.json({ model: 'sim-model', answers, usage: { input_tokens: 9, output_tokens: 0 } });

/** An answer of a chat with the probabilities of its only token. */
const letter = (content: string, probabilities?: Record<string, number>) =>
	reply.json({
		model: 'sim-model',
		choices: [
			{
				message: { role: 'assistant', content },
				finish_reason: 'stop',
				logprobs: probabilities && {
					content: [
						{
							token: content,
							logprob: -1,
							top_logprobs: Object.entries(probabilities).map(([token, probability]) => ({
								token,
								logprob: Math.log(probability),
							})),
						},
					],
				},
			},
		],
		usage: { prompt_tokens: 30, completion_tokens: 1, total_tokens: 31 },
	});

describe('a decision model', () => {
	test('S6: a choice, a score and a yes or no in one request', async () => {
		const sim = await serve({ decisions: 52 });
		sim.route(
			SYSTEM_ONE,
			answering({
				route: { choice: 'billing', probabilities: { billing: 0.9, sales: 0.1 } },
				urgency: { score: 0.7, probabilities: { 0: 0.3, 1: 0.7 } },
				person: { noul: 0.2 },
			}),
		);
		expect(await json(asking(ROUTE, URGENCY, PERSON))).toEqual({
			answers: {
				route: {
					answer: 'billing',
					probability: 0.9,
					probabilities: { billing: 0.9, sales: 0.1 },
					undecided: false,
				},
				urgency: {
					answer: 'now',
					probability: 0.7,
					probabilities: { later: 0.3, now: 0.7 },
					score: 0.7,
					level: 1,
					undecided: false,
				},
				person: {
					answer: false,
					probability: 0.8,
					probabilities: { yes: 0.2, no: 0.8 },
					undecided: false,
				},
			},
			undecided: false,
			method: 'decisionModel',
			usage: { promptTokens: 9, completionTokens: 0, totalTokens: 9 },
			model: 'sim-model',
			server: 'llamaServer',
		});
		expect(sent('/systemone')).toHaveLength(1);
		expect(sent('/chat/completions')).toHaveLength(0);
	});

	test('control tokens of the template in the text are plain text', async () => {
		await serve({ decisions: 52 });
		await json({ ...listing([PERSON]), text: 'Hi<|im_end|>' });
		expect(sent('/systemone')[0]!.state).toContain('Hi<\u200B|im_end|>');
	});

	test('control tokens in questions are plain text, and answers keep the names', async () => {
		await serve({ decisions: 52 });
		const options = ['Hi<|im_end|>', 'Bye<|im_end|>'];
		const question = { ...ROUTE, name: 'a<|im_end|>', question: 'Which<|im_start|>?', options };
		const item = await json(listing([question]));
		expect(JSON.stringify(sent('/systemone'))).not.toContain('<|im_');
		const { answer, probabilities } = answersOf(item)['a<|im_end|>']!;
		expect(options).toContain(answer);
		expect(Object.keys(probabilities!)).toEqual(options);
	});

	test.each([1, 20, 64])('S7–S9: %d questions in one request', async (count) => {
		await serve({ decisions: 52 });
		const questions = Array.from({ length: count }, (_, at) => ({ ...PERSON, name: `q${at}` }));
		const item = await json(listing(questions));
		expect(Object.keys(answersOf(item))).toHaveLength(count);
		expect(sent('/systemone')).toHaveLength(1);
	});

	test('S10, S11: options of any script, and names that every object has', async () => {
		await serve({ decisions: 52 });
		const options = ['发票', 'жалоба', 'شكوى', '🦙', 'constructor', 'toString'];
		const item = await json(listing([{ ...ROUTE, name: 'constructor', options }]));
		const { answer, probabilities } = Object.values(answersOf(item))[0]!;
		expect(options).toContain(answer);
		expect(Object.keys(probabilities!)).toEqual(options);
	});

	test('S12: too many options for the model: the whole text of the server', async () => {
		await serve({ decisions: 52 });
		const options = Array.from({ length: 53 }, (_, at) => `option ${at}`);
		const error = await failure(listing([{ ...ROUTE, options }]));
		expect(error.description).toContain(
			'questions.route: too many options (53), this model supports at most 52',
		);
		expect(error.description).toContain('Offer fewer options');
	});

	const picture = { photo: { mimeType: 'image/png', data: Buffer.from('x').toString('base64') } };

	test('S13: pictures of the item, also without a text', async () => {
		await serve({ decisions: 52, vision: true });
		const item = await json(
			{ ...asking(PERSON), text: '', binaryFields: 'photo' },
			{ items: [{ json: {}, binary: picture }] },
		);
		expect(item).toMatchObject({ method: 'decisionModel' });
		expect(sent('/systemone')[0]).toMatchObject({
			state: '',
			images: [expect.stringMatching(/^data:image\/png;base64,/)],
		});
	});

	test('S13: a decision model that cannot see says so, and is not replaced', async () => {
		await serve({ decisions: 52 });
		const error = await failure(
			{ ...asking(PERSON), binaryFields: 'photo' },
			{ items: [{ json: {}, binary: picture }] },
		);
		expect(error.message).toBe('This decision model reads text only');
		expect(error.description).toContain('--mmproj');
		expect(sent('/chat/completions')).toHaveLength(0);
	});

	test('Ollama reads text only there: a model that cannot see gets no picture at all', async () => {
		await serve({ profile: 'ollama', decisions: 52 });
		const error = await failure(
			{ ...asking(PERSON), binaryFields: 'photo' },
			{ items: [{ json: {}, binary: picture }] },
		);
		expect(error.message).toContain('cannot see pictures');
		expect(sent('/systemone')).toHaveLength(0);
		expect(sent('/chat')).toHaveLength(0);
	});

	test('S17: an answer that is missing is null and undecided, and the others stay', async () => {
		const sim = await serve({ decisions: 52 });
		sim.route(SYSTEM_ONE, answering({ person: { noul: 1 } }));
		const fake = prepare({ parameters: asking(ROUTE, PERSON) });
		const [item] = await executeIn(fake);
		expect(item!.json).toMatchObject({
			answers: { route: { answer: null, undecided: true }, person: { answer: true } },
			undecided: true,
		});
		expect(JSON.stringify(fake.hints)).toContain('no answer that can be read to \\"route\\"');
	});

	test('S18: a body without answers is a failure', async () => {
		const sim = await serve({ decisions: 52 });
		sim.route(SYSTEM_ONE, reply.json({ result: 'fine' }));
		expect((await failure(asking(PERSON))).description).toContain('/v1/systemone');
	});

	test('S19: a server that is loading is waited for', async () => {
		await serve({ decisions: 52, loadingFor: 4 });
		expect(await json(asking(PERSON))).toMatchObject({ method: 'decisionModel' });
	});

	test('S20: a thousand items, each with an answer of its own', async () => {
		await serve({ decisions: 52 });
		const items = Array.from({ length: 1000 }, (_, at) => ({ json: { at } }));
		const perItem = items.map(({ json: { at } }) => ({ text: `mail ${at}` }));
		const out = await executeIn(prepare({ items, perItem, parameters: asking(ROUTE) }));
		expect(out).toHaveLength(1000);
		expect(new Set(sent('/systemone').map(({ state }) => state)).size).toBe(1000);
	}, 60_000);

	test('S4: an empty model field takes the decision model of the server', async () => {
		await serve({ decisions: 52 });
		await json({ ...asking(PERSON), model: '' });
		expect(sent('/systemone')[0]!.model).toBe('sim-model');
	});
});

describe('Threshold', () => {
	const answers = {
		route: { choice: 'billing', probabilities: { billing: 0.6, sales: 0.4 } },
		person: { noul: 0.3 },
	};

	test.each([
		[0, 0, false, false],
		[0.6, 0.7, false, false],
		[0.61, 0.7, true, false],
		[0.61, 0.71, true, true],
	])('route %p, person %p', async (route, person, isRouteUndecided, isPersonUndecided) => {
		const sim = await serve({ decisions: 52 });
		sim.route(SYSTEM_ONE, answering(answers));
		const item = await json(
			asking({ ...ROUTE, threshold: route }, { ...PERSON, threshold: person }),
		);
		expect(item).toMatchObject({
			answers: {
				route: { undecided: isRouteUndecided },
				person: { undecided: isPersonUndecided },
			},
			undecided: isRouteUndecided || isPersonUndecided,
		});
	});
});

describe('an ordinary model', () => {
	test('S14: answers by letters, one question after the other, and the item says so', async () => {
		const sim = await serve();
		sim.script(letter('A', { A: 0.6, B: 0.2 }), letter('B', { A: 0.1, B: 0.9 }), letter('B'));
		expect(await json(asking(ROUTE, URGENCY, PERSON))).toEqual({
			answers: {
				route: {
					answer: 'billing',
					probability: 0.75,
					probabilities: { billing: 0.75, sales: 0.25 },
					undecided: false,
				},
				urgency: {
					answer: 'now',
					probability: 0.9,
					probabilities: { later: 0.1, now: 0.9 },
					score: 0.9,
					level: 1,
					undecided: false,
				},
				// Nothing stands behind a probability here, so there is none.
				person: { answer: false, undecided: false },
			},
			undecided: false,
			method: 'letters',
			usage: { promptTokens: 90, completionTokens: 3, totalTokens: 93 },
			model: 'sim-model',
			server: 'llamaServer',
		});
		const [first] = sent('/chat/completions') as Array<{ messages: Array<{ content: string }> }>;
		expect(first!.messages[0]!.content).toBe(
			'Who should answer?\nA: billing - invoices and refunds\nB: sales\nAnswer with the letter of the answer only.',
		);
		expect(first!.messages[1]!.content).toBe('I was charged twice.');
	});

	test('an answer without probabilities does not reach a threshold', async () => {
		const sim = await serve();
		sim.script(letter('A'));
		const item = await json(asking({ ...ROUTE, threshold: 0.5 }));
		expect(answersOf(item).route).toEqual({ answer: 'billing', undecided: true });
	});

	test('an answer that names no option is null, with its text', async () => {
		const sim = await serve();
		sim.script(letter('I like trains'), letter('Trains!'));
		const item = await json(asking(ROUTE));
		expect(answersOf(item).route).toEqual({ answer: null, text: 'Trains!', undecided: true });
	});

	test('S14: the route is asked once, not for every item', async () => {
		const sim = await serve();
		sim.script(letter('A'), letter('A'), letter('A'));
		const items = [{ json: {} }, { json: {} }, { json: {} }];
		await executeIn(
			prepare({ items, parameters: { ...asking(PERSON), options: { itemsAtOnce: 1 } } }),
		);
		expect(sent('/systemone')).toHaveLength(1);
		expect(sent('/chat/completions')).toHaveLength(3);
	});

	test('S15: an old server without the route', async () => {
		const sim = await serve({ profile: 'old-llama-server' });
		sim.script(letter('A'));
		expect(await json(asking(ROUTE))).toMatchObject({ method: 'letters' });
	});

	test('S15: a server that is known to have no such route is not asked for it', async () => {
		const sim = await serve({ profile: 'vllm' });
		sim.script(letter('A'));
		expect(await json(asking(ROUTE))).toMatchObject({ method: 'letters' });
		expect(sent('/systemone')).toHaveLength(0);
	});

	test.each([
		"question 'route': the answer label 'A' is not one distinct token after the chat prompt for this tokenizer, so this model is not supported",
		'/v1/systemone does not support chat templates that always reason before answering',
	])('SGLang has the route, and refuses the model: %s', async (message) => {
		const sim = await serve();
		sim.route(SYSTEM_ONE, reply.error(400, { object: 'error', message, code: 400 }));
		sim.script(letter('A'));
		expect(await json(asking(ROUTE))).toMatchObject({ method: 'letters' });
	});

	test('pictures stand in the question', async () => {
		const sim = await serve({ vision: true });
		sim.script(letter('A'));
		const data = Buffer.from('x').toString('base64');
		await json(
			{ ...asking(ROUTE), binaryFields: 'photo' },
			{ items: [{ json: {}, binary: { photo: { mimeType: 'image/png', data } } }] },
		);
		const [body] = sent('/chat/completions') as Array<{ messages: Array<{ content: unknown }> }>;
		expect(body!.messages[1]!.content).toEqual([
			{ type: 'text', text: 'I was charged twice.' },
			{ type: 'image_url', image_url: { url: `data:image/png;base64,${data}` } },
		]);
	});

	test('more options than letters are an error before anything is sent to the model', async () => {
		await serve();
		const options = Array.from({ length: 63 }, (_, at) => `option ${at}`);
		const error = await failure(listing([{ ...ROUTE, options }]));
		expect(error.message).toContain('63 labels');
		expect(sent('/chat/completions')).toHaveLength(0);
	});
});

describe('questions', () => {
	test.each<[string, unknown, string]>([
		['none', [], 'is empty'],
		['no question', ['route'], 'no question: route'],
		['no name', [{ ...PERSON, name: ' ' }], 'has no name'],
		['no text', [{ ...PERSON, question: '' }], 'is empty'],
		['two of a name', [PERSON, PERSON], 'Two questions have the name "person"'],
		[
			'questions by the thousand',
			Array.from({ length: 100_000 }, (_, at) => ({ ...PERSON, name: `q${at}` })),
			'There are 100000 questions, and 1000 are the most',
		],
		[
			'another kind',
			[{ ...PERSON, kind: 'rank' }],
			'kind "rank" that does not exist, for "person"',
		],
		['one option', [{ ...ROUTE, options: ['a'] }], '2 to 255 options, and has 1'],
		['an option twice', [{ ...ROUTE, options: ['a', 'a'] }], 'the option "a" twice'],
		['an empty option', [{ ...ROUTE, options: ['a', ''] }], 'has no name'],
		['one level', [{ ...URGENCY, levels: 'a' }], '2 to 10 levels, and has 1'],
		['a threshold of 2', [{ ...PERSON, threshold: 2 }], 'no number from 0 to 1'],
		['a threshold in words', [{ ...PERSON, threshold: 'high' }], 'no number from 0 to 1'],
	])('%s', async (_name, list, problem) => {
		await serve({ decisions: 52 });
		expect((await failure(listing(list))).message).toContain(problem);
		expect(sent('/systemone')).toHaveLength(0);
	});

	test('an empty text without pictures is an error', async () => {
		await serve({ decisions: 52 });
		expect((await failure({ ...asking(PERSON), text: ' ' })).message).toContain('is empty');
	});

	test.each<[unknown, Array<[string, string?]>]>([
		[
			'a: first\nb\r\n\n 10:30 : a time \n价格：多少',
			[
				['a', 'first'],
				['b', ''],
				['10:30', 'a time'],
				['价格', '多少'],
			],
		],
		[
			['a', 7],
			[['a'], ['7']],
		],
		[[{ name: 'a', description: 'first' }], [['a', 'first']]],
		[
			{ a: 'first', b: null },
			[
				['a', 'first'],
				['b', ''],
			],
		],
		[undefined, []],
	])('options as %j', (value, expected) => {
		expect(optionsIn(value).map(({ name, description }) => [name, description])).toEqual(
			expected.map(([name, description]) => [name, description]),
		);
	});

	const words = fc
		.string({ unit: 'grapheme', minLength: 1 })
		.map((text) => text.replace(/[\s:：\p{C}\u2028\u2029]+/gu, 'x').trim())
		.filter((text) => text !== '');

	test('property: a line of name and description is read as it was written', () => {
		fc.assert(
			fc.property(fc.array(fc.tuple(words, words), { minLength: 1 }), (pairs) => {
				const lines = pairs.map(([name, about]) => `${name}: ${about}`).join('\n');
				expect(optionsIn(lines)).toEqual(
					pairs.map(([name, description]) => ({ name, description })),
				);
			}),
		);
	});

	test('property: any text gives options with names', () => {
		fc.assert(
			fc.property(fc.string({ unit: 'grapheme' }), (text) => {
				expect(optionsIn(text).every(({ name }) => typeof name === 'string')).toBe(true);
			}),
		);
	});
});

describe('Classify with a decision model', () => {
	const CLASSIFY = {
		resource: 'text',
		operation: 'classify',
		text: 'Please pay.',
		labels: { label: [{ name: 'invoice', description: 'wants money' }, { name: 'complaint' }] },
	};

	test('one choice', async () => {
		const sim = await serve({ decisions: 52 });
		const probabilities = { invoice: 0.7, complaint: 0.3 };
		sim.route(SYSTEM_ONE, answering({ category: { choice: 'invoice', probabilities } }));
		expect(await json(CLASSIFY)).toEqual({
			label: 'invoice',
			confidence: 0.7,
			scores: probabilities,
			usage: { promptTokens: 9, completionTokens: 0, totalTokens: 9 },
			model: 'sim-model',
			method: 'decisionModel',
			server: 'llamaServer',
		});
		expect(sent('/chat/completions')).toHaveLength(0);
	});

	test('none of them, where that is allowed', async () => {
		const sim = await serve({ decisions: 52 });
		const probabilities = { invoice: 0.1, complaint: 0.1, none: 0.8 };
		sim.route(SYSTEM_ONE, answering({ category: { choice: 'none', probabilities } }));
		expect(await json({ ...CLASSIFY, noneAllowed: true })).toMatchObject({
			label: null,
			confidence: 0.8,
			none: 0.8,
		});
	});

	test('several: a yes or no for each', async () => {
		const sim = await serve({ decisions: 52 });
		sim.route(SYSTEM_ONE, answering({ invoice: { noul: 0.6 }, complaint: { noul: 0.9 } }));
		expect(await json({ ...CLASSIFY, several: true })).toMatchObject({
			label: 'complaint',
			labels: ['complaint', 'invoice'],
			confidence: 0.6,
			scores: { invoice: 0.6, complaint: 0.9 },
		});
	});

	test('several, of which none is likely: the likeliest, unless none is allowed', async () => {
		const sim = await serve({ decisions: 52 });
		sim.route(SYSTEM_ONE, answering({ invoice: { noul: 0.1 }, complaint: { noul: 0.2 } }));
		expect(await json({ ...CLASSIFY, several: true })).toMatchObject({ labels: ['complaint'] });
		expect(await json({ ...CLASSIFY, several: true, noneAllowed: true })).toMatchObject({
			label: null,
			labels: [],
		});
	});

	test('an ordinary model is never asked on the route for decisions', async () => {
		const sim = await serve();
		sim.script(letter('A'));
		expect(await json(CLASSIFY)).toMatchObject({ label: 'invoice', method: 'letters' });
		expect(sent('/systemone')).toHaveLength(0);
	});
});
