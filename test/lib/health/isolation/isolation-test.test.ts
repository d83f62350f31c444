import { checkServer } from '../../../../lib/health/check';
import {
	type IsolationTestOptions,
	withIsolationTest,
} from '../../../../lib/health/isolation/isolation-test';
import { modelServerTarget } from '../../../../nodes/shared/health/target';
import {
	type LlamaServerSim,
	reply,
	type Scripted,
	type SimOptions,
	startLlamaServerSim,
} from '../../../servers/llama-server';
import { useSimulator } from '../../../servers/use-simulator';
import { finding, ids, LIMITS, SESAME } from '../support';

const startServer = useSimulator(startLlamaServerSim);
let server: LlamaServerSim;

type Answering = (
	codeWord: string,
	at: number,
) => ReturnType<typeof reply.text> | ReturnType<typeof reply.llamaError>;

/** A server that answers each prompt with what `answering` makes of its code word. */
async function sim(answering: Answering, options: SimOptions = {}): Promise<void> {
	server = await startServer({ apiKey: SESAME, ...options });
	let at = 0;
	const play: Scripted = ({ body }) => {
		const [, codeWord = ''] = /conversation is (\w+)/.exec(JSON.stringify(body))!;
		return answering(codeWord, at++);
	};
	server.script(...Array.from({ length: 200 }, () => play));
}

async function test(options: Partial<IsolationTestOptions> = {}) {
	const target = modelServerTarget({ baseUrl: server.url, apiKey: SESAME });
	return await withIsolationTest(target, await checkServer(target, LIMITS), {
		model: '',
		conversations: 12,
		atOnce: 3,
		tokens: 32,
		limitMs: 60_000,
		...options,
	});
}

const generations = () => server.requests.filter(({ path }) => path.endsWith('/chat/completions'));

describe('an isolation test', () => {
	it('where conversations stay apart: it says how many were tried, and that this is no proof', async () => {
		await sim((codeWord) => reply.text(`It is ${codeWord.toUpperCase()}.`));
		const result = await test();
		expect(result.isolationTest).toEqual({
			model: 'sim-model',
			conversations: 12,
			answers: 24,
			withOwnWord: 24,
			withForeignWord: 0,
			examples: [],
			failed: 0,
			failure: null,
		});
		expect(result).toMatchObject({ healthy: true, status: 'healthy' });
		expect(result.summary).toContain('12 conversations, 24 answers: 24 with their own code word');
		expect(finding(result, 'isolationTested')).toMatchObject({
			severity: 'info',
			meaning: expect.stringContaining('no proof') as string,
			advice: expect.stringContaining('--cache-ram 0') as string,
		});
	});

	it('where a slot answers with the content of another: the gravest finding, with the remedy', async () => {
		let earlier = '';
		await sim((codeWord, at) => {
			const answer = at === 7 ? earlier : codeWord;
			earlier = codeWord;
			return reply.text(answer);
		});
		const result = await test({ atOnce: 2 });
		expect(result.isolationTest).toMatchObject({
			answers: 24,
			withOwnWord: 23,
			withForeignWord: 1,
		});
		const [example] = result.isolationTest!.examples;
		expect(example!.foreign).toEqual([example!.answer]);
		expect(example!.answer).not.toBe(example!.expected);
		expect(result).toMatchObject({ healthy: false, status: 'degraded' });
		expect(result.findings[0]).toMatchObject({ id: 'foreignContent', severity: 'error' });
		expect(result.findings[0]!.advice).toMatch(/--cache-ram 0 .*27148/);
	});

	it('of a model that repeats nothing: it says little, and says so', async () => {
		await sim(() => reply.text('I am a language model.'));
		const result = await test();
		expect(result.isolationTest).toMatchObject({ answers: 24, withOwnWord: 0 });
		expect(ids(result)).toContain('isolationUnclear');
		expect(ids(result)).not.toContain('isolationTested');
	});

	it('a foreign word in the thinking, or in an answer that was cut, counts', async () => {
		let first = '';
		await sim((codeWord) => {
			if (first !== '') return reply.reasoning(`They want ${first}`, '', { finish: 'length' });
			first = codeWord;
			return reply.text(codeWord);
		});
		expect((await test()).isolationTest!.withForeignWord).toBeGreaterThan(10);
	});

	it('a server that fails is asked no more once nothing but failures came, and that is the finding', async () => {
		await sim(() => reply.llamaError(500, 'Compute error.'));
		const result = await test();
		expect(result.isolationTest).toMatchObject({ answers: 0, failure: { kind: 'serverError' } });
		expect(generations().length).toBeLessThanOrEqual(6);
		expect(result).toMatchObject({ healthy: false });
		expect(ids(result)).not.toContain('isolationTested');
	});

	it('some failures are a warning beside the result', async () => {
		await sim((codeWord, at) =>
			at === 5 ? reply.llamaError(500, 'Compute error.') : reply.text(codeWord),
		);
		const result = await test();
		expect(result.isolationTest).toMatchObject({ answers: 23, failed: 1 });
		expect(result).toMatchObject({ healthy: true });
		expect(finding(result, 'serverError').severity).toBe('warning');
	});

	it('ends at its time limit, with what was tried', async () => {
		await sim((codeWord) => reply.text(codeWord), { tokenDelayMs: 100 });
		const { isolationTest } = await test({ limitMs: 1_500, conversations: 10_000 });
		expect(isolationTest!.conversations).toBeLessThan(100);
	});

	it('the second turn of a conversation begins as its first, after the first turns of others', async () => {
		await sim((codeWord) => reply.text(codeWord));
		await test({ conversations: 6 });
		const bodies = generations().map(
			({ body }) => (body as { messages: Array<{ content: string }> }).messages,
		);
		expect(bodies.map(({ length }) => length)).toEqual([...Array(6).fill(1), ...Array(6).fill(3)]);
		const firstTurns = bodies.slice(0, 6).map(([first]) => first!.content);
		for (const [first] of bodies.slice(6)) expect(firstTurns).toContain(first!.content);
	});
});
