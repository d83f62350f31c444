import { reply } from '../../../simulators/llama-server';
import { useLocalLlama } from '../run-node';

const { serve, json, getError, getBodies, execute } = useLocalLlama();

const QUESTIONS = {
	question: [
		{ name: 'angry', type: 'yesNo', question: 'shouting', yes: 'It shouts', no: '' },
		{
			name: 'team',
			type: 'choice',
			question: 'Which team?',
			options: 'sales\n\n billing : Payments: refunds \n支持：技术问题',
		},
		{ name: 'urgency', type: 'score', question: 'How urgent?', levels: 'can wait\ntoday' },
	],
};
const DECIDE = {
	resource: 'text',
	operation: 'decide',
	state: 'A shouting customer asks for billing.',
	questions: QUESTIONS,
};
const withOptions = (options: object) => ({ ...DECIDE, options });

test('one field per question, and probabilities in the metadata', async () => {
	await serve({ decisions: true });
	expect(await json(withOptions({ simplify: false }))).toEqual({
		decision: { angry: true, team: 'billing', urgency: 0.001 },
		metadata: {
			answers: {
				angry: { probability: 1 },
				team: { probabilities: { sales: 0, billing: 1, 支持: 0 }, confidence: 1 },
				urgency: { probabilities: { 0: 0.999, 1: 0.001 }, confidence: 0.5 },
			},
			usage: { promptTokens: 37, completionTokens: 0, totalTokens: 37 },
			model: 'sim-model',
			server: 'llamaServer',
			seconds: expect.any(Number) as number,
		},
	});
	expect(getBodies('/systemone')[0]!.questions).toEqual({
		angry: {
			type: 'noul',
			instructions: 'shouting',
			criteria: { true: 'It shouts', false: 'no' },
		},
		team: {
			type: 'choice',
			instructions: 'Which team?',
			criteria: { sales: null, billing: 'Payments: refunds', 支持: '技术问题' },
		},
		urgency: { type: 'score', instructions: 'How urgent?', criteria: ['can wait', 'today'] },
	});
});

test.each([
	[0.2, true],
	[0.25, true],
	[0.3, false],
	[undefined, false],
])('a probability of 0.25 with the threshold %s is %s', async (threshold, expected) => {
	await serve({ decisions: true });
	const parameters = withOptions(threshold === undefined ? {} : { threshold });
	expect(await json({ ...parameters, state: 'A calm customer.' })).toMatchObject({
		decision: { angry: expected },
	});
});

test('questions from an expression, with options as names or objects', async () => {
	await serve({ decisions: true });
	const questionList = [
		{ name: 'a', question: 'x' },
		{ name: 'b', type: 'choice', question: 'y', options: ['sales', { name: 'billing: new' }] },
		{ name: 'c', type: 'score', instructions: 'z', levels: ['low', 'high'] },
	];
	for (const list of [questionList, JSON.stringify(questionList)])
		expect(await json(withOptions({ questionList: list }))).toMatchObject({
			decision: { a: false, b: 'sales', c: 0.001 },
		});
	expect(getBodies('/systemone')[0]!.questions).toMatchObject({
		b: { criteria: { sales: null, 'billing: new': null } },
	});
});

test.each([
	[{ ...DECIDE, questions: {} }, 'The field "Questions" is empty'],
	[{ ...DECIDE, state: ' ' }, 'This item has no text'],
	[
		withOptions({ questionList: [{ name: 'a', type: 'rank', question: 'x' }] }),
		'unknown type "rank"',
	],
	[withOptions({ questionList: ['a'] }), 'has a question that is not an object'],
	[
		{
			...DECIDE,
			questions: { question: [{ name: 'a', type: 'choice', question: 'x', options: 'b' }] },
		},
		'has fewer than two options',
	],
])('%j is an error before anything is sent', async (parameters, message) => {
	await serve({ decisions: true });
	expect((await getError(parameters)).message).toContain(message);
	expect(getBodies('/systemone')).toEqual([]);
});

test('a chat model that was chosen is an error with what the server type has', async () => {
	await serve();
	const error = await getError(DECIDE);
	expect(error.message).toContain('not a decision model');
	expect(error.description).toContain('Start llama-server with a decision model');
});

test('an empty model is the only one that decides, also beside chat models of a router', async () => {
	const sim = await serve({ decisions: true });
	const decides = { input_modalities: ['text'], output_modalities: ['decisions'] };
	const data = [
		{ id: 'chat', owned_by: 'llamacpp' },
		{ id: 'nimble', owned_by: 'llamacpp', architecture: decides },
	];
	sim.route('GET /v1/models', reply.json({ object: 'list', data }));
	const empty = { model: { __rl: true, mode: 'list', value: '' } };
	await json({ ...DECIDE, ...empty });
	const classify = { resource: 'text', operation: 'classify', text: 'Hi' };
	await json({ ...classify, ...empty, labels: { label: [{ name: 'a' }, { name: 'b' }] } });
	expect(getBodies('/systemone').map(({ model }) => model)).toEqual(['nimble', 'nimble']);
	expect(getBodies('/chat/completions')).toEqual([]);
});

test('an object as state, and each item on its own', async () => {
	await serve({ decisions: true });
	const items = ['billing', 'sales'].map((team) => ({ json: { mail: { team } } }));
	const results = await execute({
		parameters: { ...DECIDE, state: { mail: { team: 'billing' } } },
		items,
	});
	expect(results.map(({ json: result }) => result.decision)).toEqual([
		expect.objectContaining({ team: 'billing' }),
		expect.objectContaining({ team: 'billing' }),
	]);
	expect(getBodies('/systemone')[0]!.state).toEqual({ mail: { team: 'billing' } });
});

describe('Classify with a decision model', () => {
	const CLASSIFY = {
		resource: 'text',
		operation: 'classify',
		text: 'Please send billing.',
		labels: { label: [{ name: 'sales', description: 'wants to buy' }, { name: 'billing' }] },
	};
	const classify = async (options: object, text = CLASSIFY.text) =>
		await json({ ...CLASSIFY, text, options: { simplify: false, ...options } });

	test('one label, with the probability of each', async () => {
		await serve({ decisions: true });
		expect(await classify({ instructions: 'Mails.' })).toMatchObject({
			classification: 'billing',
			metadata: { confidence: 1, scores: { sales: 0, billing: 1 } },
		});
		expect(getBodies('/systemone')[0]).toMatchObject({
			state: 'Please send billing.',
			questions: {
				category: {
					type: 'choice',
					instructions: 'Which of these categories does the text belong to?\nMails.',
					criteria: { sales: 'wants to buy', billing: null },
				},
			},
		});
		expect(getBodies('/chat/completions')).toEqual([]);
	});

	test('none of them, if that is allowed', async () => {
		await serve({ decisions: true });
		expect(await classify({ allowNoLabel: true }, 'It is none.')).toMatchObject({
			classification: null,
			metadata: { none: 1, confidence: 1, scores: { sales: 0, billing: 0 } },
		});
	});

	test('several labels: a question about each', async () => {
		const sim = await serve({ decisions: true });
		const answer = (sales: number, billing: number) =>
			reply.json({ answers: { sales: { noul: sales }, billing: { noul: billing } } });
		sim.route('POST /v1/systemone', answer(0.7, 0.9));
		expect(await classify({ multiLabel: true })).toMatchObject({
			classification: ['billing', 'sales'],
			metadata: { confidence: 0.7, scores: { sales: 0.7, billing: 0.9 } },
		});
		sim.route('POST /v1/systemone', answer(0.1, 0.2));
		expect(await classify({ multiLabel: true })).toMatchObject({ classification: ['billing'] });
		expect(await classify({ multiLabel: true, allowNoLabel: true })).toMatchObject({
			classification: [],
			metadata: { none: 0.8 },
		});
	});
});
