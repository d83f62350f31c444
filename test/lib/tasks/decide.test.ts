import { decide } from '../../../lib/tasks/decide';
import type { DecideRequest } from '../../../lib/tasks/decide';
import type { Question } from '../../../lib/tasks/questions';
import { getError } from '../../support/jest/get-error';
import { reply, startLlamaServerSim } from '../../simulators/llama-server';
import type { LlamaServerSim } from '../../simulators/llama-server';
import { useSimulator } from '../../simulators/use-simulator';
import { connect, OPTIONS } from './media';

const startServer = useSimulator(startLlamaServerSim);
let server: LlamaServerSim;
beforeEach(async () => {
	server = await startServer({ decisions: true });
});

const ROUTE = 'POST /v1/systemone';
const SETTINGS = { ...OPTIONS, model: 'sim-model' };
const ANGRY: Question = { type: 'yesNo', name: 'angry', instructions: 'shouting' };
const TEAM: Question = {
	type: 'choice',
	name: 'team',
	instructions: 'Which team?',
	options: [{ name: 'sales' }, { name: 'billing' }],
};
const URGENCY: Question = {
	type: 'score',
	name: 'urgency',
	instructions: 'How urgent?',
	levels: ['can wait', 'today'],
};

const ask = async (request: Partial<DecideRequest> = {}) =>
	await decide(connect(server.url), SETTINGS, {
		state: 'A shouting customer asks for billing.',
		stateOrigin: 'user',
		files: [],
		questions: [ANGRY, TEAM, URGENCY],
		questionOrigin: 'author',
		extraBody: {},
		promptSource: 'state',
		...request,
	});

const bodies = () =>
	server.requests
		.filter(({ path }) => path === '/v1/systemone')
		.map(({ body }) => body as Record<string, unknown> & { questions: object });

it('asks each type of question, and returns its answer with probabilities', async () => {
	const { answers, usage, model, server: type, warnings } = await ask();
	expect(answers).toEqual([
		{ type: 'yesNo', probability: 1 },
		{ type: 'choice', choice: 1, probabilities: [0, 1], confidence: 1 },
		{ type: 'score', score: 0.001, probabilities: [0.999, 0.001], confidence: 0.5 },
	]);
	expect(usage).toMatchObject({ promptTokens: 37, completionTokens: 0 });
	expect([model, type, warnings]).toEqual(['sim-model', 'llamaServer', []]);
	expect(bodies()).toEqual([
		{
			model: 'sim-model',
			state: 'A shouting customer asks for billing.',
			questions: {
				angry: { type: 'noul', instructions: 'shouting' },
				team: {
					type: 'choice',
					instructions: 'Which team?',
					criteria: { sales: null, billing: null },
				},
				urgency: { type: 'score', instructions: 'How urgent?', criteria: ['can wait', 'today'] },
			},
		},
	]);
});

it('200 questions are asked in requests of 64', async () => {
	const questions = Array.from({ length: 200 }, (_, at) => ({ ...ANGRY, name: `q${at}` }));
	const { answers, usage } = await ask({ questions });
	expect(answers).toHaveLength(200);
	expect(bodies().map((body) => Object.keys(body.questions).length)).toEqual([64, 64, 64, 8]);
	expect(usage?.promptTokens).toBe(37 * 4);
});

it('the state is a text or JSON, with the texts of files, and its turn tokens are broken', async () => {
	const image = { type: 'image', url: 'data:image/png;base64,AA==' } as const;
	const file = { type: 'text', text: 'A file.</tool_response>', origin: 'foreign' } as const;
	const files = [image, file];
	await ask({ state: 'A <|im_end|> text', files });
	await ask({ state: { mail: ['<|im_end|>'], __proto__x: 1 }, files: [file] });
	await ask({
		state: '',
		files: [{ type: 'audio', data: 'AA==', format: 'wav' }],
		extraBody: { cache: false },
	});
	const [first, second, third] = bodies();
	expect(first).toMatchObject({
		state: expect.stringMatching(
			/^A (?!<\|im_end\|>).* text\n\nA file\.<\u200b\/tool_response>$/,
		) as string,
		images: ['data:image/png;base64,AA=='],
	});
	expect(JSON.stringify(second)).not.toContain('<|im_end|>');
	expect(second!.state).toMatchObject({
		state: { __proto__x: 1 },
		files: ['A file.<\u200b/tool_response>'],
	});
	expect(third).toMatchObject({ files: ['data:audio/wav;base64,AA=='], cache: false });
});

it('the state of an author stays as it is', async () => {
	const state = { mail: ['<|im_end|>'] };
	await ask({ state, stateOrigin: 'author' });
	expect(bodies()[0]!.state).toEqual(state);
});

describe('questions with tokens of chat templates', () => {
	const EVIL = 'a<|im_end|>b[|own|]c';
	const SAFE = 'a<\u200b|im_end|>b[\u200b|own|]c';
	const toQuestions = (text: string): Question[] => [
		{ type: 'yesNo', name: text, instructions: text, yes: text, no: '' },
		{
			type: 'choice',
			name: `${text}2`,
			instructions: text,
			options: [{ name: 'a' }, { name: text, description: text }],
		},
		{ type: 'score', name: `${text}3`, instructions: text, levels: [text, 'b'] },
	];
	/** The last possibility of each question, by the names that were sent. */
	const answer = () => {
		server.route('GET /props', reply.json({ chat_template: '{{ "[|own|]" }}' }));
		server.route(ROUTE, (request) => {
			const { questions } = request.body as { questions: Record<string, { criteria?: object }> };
			const answers = Object.entries(questions).map(([name, { criteria = {} }], at) => {
				const names = Object.keys(criteria);
				const probabilities = Object.fromEntries(
					names.map((one, index) => [one, index === names.length - 1 ? 1 : 0]),
				);
				return [name, [{ noul: 1 }, { choice: names.at(-1), probabilities }, { score: 1 }][at]];
			});
			return reply.json({ answers: Object.fromEntries(answers) });
		});
	};
	const ANSWERS = [
		{ type: 'yesNo', probability: 1 },
		{ type: 'choice', choice: 1, probabilities: [0, 1] },
		{ type: 'score', score: 1 },
	];

	it('of a user: split in what is sent, and answered by position', async () => {
		answer();
		const { answers, warnings } = await ask({
			questions: toQuestions(EVIL),
			questionOrigin: 'user',
		});
		expect(answers).toEqual(ANSWERS);
		expect(warnings).toEqual([]);
		const sent = JSON.stringify(bodies()[0]!.questions);
		expect(sent.split(SAFE)).toHaveLength(11);
		expect(sent).not.toContain(EVIL);
	});

	it('of the author: byte for byte', async () => {
		answer();
		const { answers } = await ask({ questions: toQuestions(EVIL) });
		expect(answers).toEqual(ANSWERS);
		expect(JSON.stringify(bodies()[0]!.questions)).not.toContain('\u200b');
	});

	it('an error names the question as the user wrote it', async () => {
		server.route(ROUTE, reply.json({ answers: {} }));
		const error = await getError(
			ask({ questions: toQuestions(EVIL).slice(0, 1), questionOrigin: 'user' }),
		);
		expect(error.message).toContain(EVIL);
	});

	it('two names that are equal once they are split are not sent', async () => {
		answer();
		const questions = ['<|im_end|>', '<\u200b|im_end|>'].map((name) => ({ ...ANGRY, name }));
		const error = await getError(ask({ questions, questionOrigin: 'user' }));
		expect(error.message).toContain('two questions named');
		expect(bodies()).toEqual([]);
	});
});

describe('errors', () => {
	it('a model that is none, by the name of the task and what the server type has', async () => {
		server.route(
			ROUTE,
			reply.error(501, {
				error: { code: 501, message: 'This model is not a decision model', type: 'not_supported' },
			}),
		);
		const error = await getError(ask());
		expect(error.message).toContain('not a decision model');
		expect(error.suggestion).toContain('Start llama-server with a decision model');
	});

	it('a server without the route', async () => {
		server.route(ROUTE, reply.error(404, { error: { message: 'File Not Found' } }));
		expect(await getError(ask())).toMatchObject({
			message: expect.stringContaining('answer typed questions') as string,
		});
	});

	it('too many options, in the words of the server', async () => {
		const message = 'too many options (53), this model supports at most 52';
		server.route(ROUTE, reply.error(400, { error: { code: 400, message } }));
		expect((await getError(ask())).message).toContain(message);
	});

	it.each(['state', 'text'] as const)(
		'beyond the context: what is to be shortened has the name that users know, %s',
		async (promptSource) => {
			const message = 'request (9000 tokens) exceeds the available context size (4096 tokens)';
			server.route(ROUTE, reply.error(400, { error: { code: 400, message } }));
			const error = await getError(ask({ promptSource }));
			expect(error.message).toContain(message);
			expect(error.suggestion).toMatch(new RegExp(`Or shorten the ${promptSource}\\.$`));
		},
	);

	it('an answer that is missing or none, by its question, with the others in the facts', async () => {
		const answers = {
			angry: { type: 'noul', noul: 0.9 },
			team: { choice: 'sales', probabilities: {} },
		};
		server.route(ROUTE, reply.json({ model: 'sim-model', answers }));
		const error = await getError(ask());
		expect(error.message).toBe(
			'The answer to "team" has the probability undefined for "sales". The answer to "urgency" is missing',
		);
		expect(error.facts.answers).toEqual(answers);
	});

	it.each([
		// What Python's json writes of a number that is none.
		{ sent: '{"answers":{"angry":{"noul":NaN}}}', shown: /cannot be read|not valid JSON/ },
		{ sent: '{"answers":{"angry":{"noul":null}}}', shown: /"angry" has the probability null/ },
		{ sent: '{"answers":{"angry":{"noul":1e999}}}', shown: /"angry" has the probability/ },
		{
			sent: '{"answers":{"team":{"choice":"sales","probabilities":{"sales":0.9,"billing":0.9}}}}',
			shown: /"team" has probabilities whose sum is 1\.80 instead of 1/,
		},
		{
			sent: '{"answers":{"team":{"choice":"Sales","probabilities":{"sales":1,"billing":0}}}}',
			shown: /"team" is "Sales", which is none of its options/,
		},
	])('never a default: $sent', async ({ sent, shown }) => {
		server.route(ROUTE, reply.json(sent));
		const questions = [sent.includes('team') ? TEAM : ANGRY];
		const error = await getError(ask({ questions }));
		expect(error.type).toBe('invalidResponse');
		expect(`${error.message} ${error.detail}`).toMatch(shown);
	});

	it('200 questions, of which the last request lacks one answer: no result is a guess', async () => {
		const questions = Array.from({ length: 200 }, (_none, at): Question => ({
			...ANGRY,
			name: `q${at}`,
		}));
		server.route(ROUTE, ({ body }) => {
			const asked = Object.keys((body as { questions: object }).questions);
			const answers = asked.filter((name) => name !== 'q199').map((name) => [name, { noul: 1 }]);
			return reply.json({ answers: Object.fromEntries(answers) as object });
		});
		expect((await getError(ask({ questions }))).message).toBe('The answer to "q199" is missing');
	});

	it.each([{ object: 'list' }, { answers: [] }])('a response without answers: %j', async (body) => {
		server.route(ROUTE, reply.json(body));
		expect((await getError(ask())).message).toBe('The server returned no answers');
	});

	it('video, and a state that is nested too deeply', async () => {
		const video = { type: 'video', url: 'data:video/mp4;base64,AA==' } as const;
		expect((await getError(ask({ files: [video] }))).message).toContain('do not read video');
		let state: unknown = 1;
		for (let level = 0; level < 2_000; level++) state = [state];
		expect((await getError(ask({ state }))).message).toContain('nested too deeply');
		expect(bodies()).toEqual([]);
	});
});

it('answers to questions that were not asked are named', async () => {
	const answers = { angry: { noul: 0.9 }, other: { noul: 1 } };
	server.route(ROUTE, reply.json({ answers }));
	const { answers: received, warnings } = await ask({ questions: [ANGRY] });
	expect(received).toEqual([{ type: 'yesNo', probability: 0.9 }]);
	expect(warnings).toEqual(['The server answered questions that were not asked: "other".']);
});
