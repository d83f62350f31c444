import { recordedExchanges } from '../../../servers/model-recordings/exchange';
import { reply } from '../../../servers/llama-server';
import { changeFields } from '../../../../nodes/LocalLlama/model/change';
import { useLocalLlama } from '../run-node';
import { clearSharedCaches } from '../../../../lib/lru-cache';

const { serve, execute, json, failure } = useLocalLlama();
const model = (value: string) => ({ __rl: true, mode: 'list', value });
const op = (operation: string, name: string, options: object = {}) => ({
	resource: 'model',
	operation,
	model: model(name),
	options,
});
type Sim = Awaited<ReturnType<typeof serve>>;
const posts = (sim: Sim) =>
	sim.requests.filter(({ method }) => method === 'POST').map(({ path }) => path);

test('a model must be chosen', () => {
	expect(changeFields()[0]).toMatchObject({ name: 'model', required: true });
});

describe('Load', () => {
	it('waits until a router has loaded the model', async () => {
		const sim = await serve({ profile: 'router', models: [{ id: 'big', loadMs: 20 }] });
		expect(await json(op('load', 'big'))).toMatchObject({
			model: 'big',
			state: 'loaded',
			changed: true,
		});
		expect(sim.models).toMatchObject([{ id: 'big', status: 'loaded' }]);
	});

	it('of a model that is loaded changes nothing', async () => {
		const sim = await serve({ profile: 'router', models: [{ id: 'big', status: 'loaded' }] });
		expect(await json(op('load', 'big'))).toMatchObject({
			model: 'big',
			state: 'loaded',
			changed: false,
		});
		expect(posts(sim)).toEqual([]);
	});

	it('of a model that a router cannot load names the exit code', async () => {
		await serve({ profile: 'router', models: [{ id: 'broken', exitCode: 1 }] });
		expect(await failure(op('load', 'broken'))).toMatchObject({
			message: expect.stringContaining('could not load the model') as string,
			description: expect.stringContaining('exit code 1') as string,
			context: { data: { exitCode: 1 } },
		});
	});

	it('on a server that cannot says who can', async () => {
		await serve();
		expect((await failure(op('load', 'sim-model'))).description).toContain('--models-dir');
	});

	it('ends at once on Stop, and leaves nothing running on the server', async () => {
		const sim = await serve({ profile: 'router', models: [{ id: 'big', loadMs: 3_600_000 }] });
		const cancel = new AbortController();
		const running = execute({ parameters: op('load', 'big'), signal: cancel.signal }).catch(
			(error: unknown) => error,
		);
		await sim.until(() => posts(sim).length > 0);
		cancel.abort();
		expect(await running).toBeInstanceOf(Error);
	});

	it('that takes longer than its limit is an error, where it is waited for', async () => {
		await serve({ profile: 'router', models: [{ id: 'big', loadMs: 3_600_000 }] });
		expect((await failure(op('load', 'big', { timeLimit: 1, wait: true }))).message).toContain(
			'1 s',
		);
		expect(await json(op('load', 'big', { wait: 'false' }))).toMatchObject({
			model: 'big',
			state: 'loading',
		});
	});

	it.each([
		['without a model', op('load', ''), 'No model is chosen'],
		[
			'with a limit that makes no sense',
			op('load', 'big', { timeLimit: 'soon' }),
			'"Time Limit (Seconds)"',
		],
		['with a switch that is neither', op('unload', 'big', { wait: 'ja' }), '"Wait Until Done"'],
	])('%s asks nothing of the server', async (_how, parameters, message) => {
		const sim = await serve({ profile: 'router', models: [{ id: 'big' }] });
		expect((await failure(parameters)).message).toContain(message);
		expect(posts(sim)).toEqual([]);
	});
});

describe('Unload', () => {
	it('frees on a router what Load has loaded', async () => {
		const sim = await serve({ profile: 'router', models: [{ id: 'big', loadMs: 20 }] });
		await json(op('load', 'big'));
		expect(await json(op('unload', 'big', { wait: false }))).toMatchObject({ state: 'unloaded' });
		expect(sim.models).toMatchObject([{ id: 'big', status: 'unloaded' }]);
	});

	it('of a model that is not loaded changes nothing', async () => {
		const sim = await serve({ profile: 'router', models: [{ id: 'big' }] });
		expect(await json(op('unload', 'big'))).toMatchObject({
			model: 'big',
			state: 'unloaded',
			changed: false,
		});
		expect(posts(sim)).toEqual([]);
	});

	it('of a model that is not there names those that are', async () => {
		await serve({ profile: 'router', models: [{ id: 'big' }] });
		expect((await failure(op('unload', 'small'))).description).toContain('big');
	});

	it('cuts answers off only where it is told to', async () => {
		const sim = await serve({ profile: 'router', models: [{ id: 'big', status: 'loaded' }] });
		sim.route('GET /slots', reply.json([{ id: 0, is_processing: true }]));
		expect((await failure(op('unload', 'big', { wait: false }))).message).toContain(
			'is answering 1 request',
		);
		expect(posts(sim)).toEqual([]);
		expect(await json(op('unload', 'big', { cutAnswers: true }))).toMatchObject({
			state: 'unloaded',
		});
	});
});

describe('llama-swap 0bdb372', () => {
	const recorded = (name: string) => {
		const { answer } = recordedExchanges('llama-swap-0bdb372/models').find(
			(one) => one.name === name,
		)!;
		return reply.error(
			answer.status,
			answer.text!.startsWith('{') ? JSON.parse(answer.text!) : answer.text!,
		);
	};
	async function swap(running: 'running-none' | 'running-tiny') {
		clearSharedCaches();
		const sim = await serve({
			profile: 'llama-swap',
			models: [{ id: 'tiny', aliases: ['gpt-4o-mini'] }, { id: 'broken' }],
		});
		sim.route('GET /running', recorded(running));
		return sim;
	}

	it('loads a model by a request to the server behind it', async () => {
		const sim = await swap('running-none');
		sim.route('GET /upstream/tiny/health', reply.json({ status: 'ok' }));
		expect(await json(op('load', 'gpt-4o-mini'))).toMatchObject({
			model: 'tiny',
			server: 'llamaSwap',
			before: 'unloaded',
			state: 'loaded',
			changed: true,
		});
	});

	it('that cannot load it says so, and where the log of the model is', async () => {
		const sim = await swap('running-none');
		sim.route('GET /upstream/broken/health', recorded('broken-upstream'));
		const { message, description } = await failure(op('load', 'broken'));
		expect(message).toContain('could not load the model');
		expect(description).toContain('upstream command exited prematurely');
		expect(description).toContain('/logs/stream/NAME');
	});

	it('unloads what is not answering, and takes no notice of what is not loaded', async () => {
		const sim = await swap('running-tiny');
		sim.route('GET /upstream/tiny/slots', reply.json([{ id: 0, is_processing: false }]));
		sim.route('POST /api/models/unload/tiny', recorded('unload-one'));
		expect(await json(op('unload', 'tiny'))).toMatchObject({
			state: 'unloaded',
			changed: true,
			sawNoAnswers: true,
		});
		sim.route('GET /running', recorded('running-none'));
		expect(await json(op('unload', 'tiny'))).toMatchObject({ changed: false });
		expect(posts(sim)).toEqual(['/api/models/unload/tiny']);
	});

	it('does not unload a model that is answering, but where it is told to', async () => {
		const sim = await swap('running-tiny');
		sim.route('GET /upstream/tiny/slots', reply.json([{ id: 0, is_processing: true }]));
		sim.route('POST /api/models/unload/tiny', recorded('unload-one'));
		expect((await failure(op('unload', 'tiny', { wait: false }))).message).toContain(
			'is answering',
		);
		expect(posts(sim)).toEqual([]);
		await json(op('unload', 'tiny', { cutAnswers: true }));
		expect(posts(sim)).toEqual(['/api/models/unload/tiny']);
	});

	it('does not know a model: names its own', async () => {
		await swap('running-none');
		expect((await failure(op('load', 'nope'))).description).toContain('tiny, broken');
	});
});
