import { changeFields } from '../../../../nodes/LocalLlama/model';
import { useLocalLlama } from '../run-node';

const { serve, execute, json, getError } = useLocalLlama();
const model = (value: string) => ({ __rl: true, mode: 'list', value });
const buildParameters = (operation: string, name: string, options: object = {}) => ({
	resource: 'model',
	operation,
	model: model(name),
	options,
});
type Sim = Awaited<ReturnType<typeof serve>>;
const posts = (sim: Sim) =>
	sim.requests.filter(({ method }) => method === 'POST').map(({ path }) => path);

test('a model is required', () => {
	expect(changeFields()[0]).toMatchObject({ name: 'model', required: true });
});

describe('Load', () => {
	it('waits until a router has loaded the model', async () => {
		const sim = await serve({ profile: 'router', models: [{ id: 'big', loadMs: 20 }] });
		expect(await json(buildParameters('load', 'big'))).toMatchObject({
			model: 'big',
			state: 'loaded',
			changed: true,
		});
		expect(sim.models).toMatchObject([{ id: 'big', status: 'loaded' }]);
	});

	it('a loaded model is not changed', async () => {
		const sim = await serve({ profile: 'router', models: [{ id: 'big', status: 'loaded' }] });
		expect(await json(buildParameters('load', 'big'))).toMatchObject({
			model: 'big',
			state: 'loaded',
			changed: false,
		});
		expect(posts(sim)).toEqual([]);
	});

	it('if a router cannot load the model, the error names the exit code', async () => {
		await serve({ profile: 'router', models: [{ id: 'broken', exitCode: 1 }] });
		expect(await getError(buildParameters('load', 'broken'))).toMatchObject({
			message: expect.stringContaining('could not load the model') as string,
			description: expect.stringContaining('exited with code 1') as string,
			context: { data: { exitCode: 1 } },
		});
	});

	it('on other servers, the error names servers that support it', async () => {
		await serve();
		expect((await getError(buildParameters('load', 'sim-model'))).description).toContain(
			'--models-dir',
		);
	});

	it('ends immediately on Stop, and leaves nothing running on the server', async () => {
		const sim = await serve({ profile: 'router', models: [{ id: 'big', loadMs: 3_600_000 }] });
		const cancel = new AbortController();
		const pending = execute({
			parameters: buildParameters('load', 'big'),
			signal: cancel.signal,
		}).catch((error: unknown) => error);
		await sim.until(() => posts(sim).length > 0);
		cancel.abort();
		expect(await pending).toBeInstanceOf(Error);
	});

	it('a timeout is an error if the node waits', async () => {
		await serve({ profile: 'router', models: [{ id: 'big', loadMs: 3_600_000 }] });
		expect(
			(await getError(buildParameters('load', 'big', { timeout: 1, wait: true }))).message,
		).toContain('1 s');
		expect(await json(buildParameters('load', 'big', { wait: 'false' }))).toMatchObject({
			model: 'big',
			state: 'loading',
		});
	});

	it.each([
		['without a model', buildParameters('load', ''), 'No model is selected'],
		[
			'with a limit that makes no sense',
			buildParameters('load', 'big', { timeout: 'soon' }),
			'"Timeout (Seconds)"',
		],
		[
			'with a switch that is neither',
			buildParameters('unload', 'big', { wait: 'ja' }),
			'"Wait Until Done"',
		],
	])('%s sends nothing to the server', async (_how, parameters, message) => {
		const sim = await serve({ profile: 'router', models: [{ id: 'big' }] });
		expect((await getError(parameters)).message).toContain(message);
		expect(posts(sim)).toEqual([]);
	});
});

describe('Unload', () => {
	it('unloads a model of a router', async () => {
		const sim = await serve({ profile: 'router', models: [{ id: 'big', loadMs: 20 }] });
		await json(buildParameters('load', 'big'));
		expect(await json(buildParameters('unload', 'big', { wait: false }))).toMatchObject({
			state: 'unloaded',
		});
		expect(sim.models).toMatchObject([{ id: 'big', status: 'unloaded' }]);
	});

	it('a model that is not loaded is not changed', async () => {
		const sim = await serve({ profile: 'router', models: [{ id: 'big' }] });
		expect(await json(buildParameters('unload', 'big'))).toMatchObject({
			model: 'big',
			state: 'unloaded',
			changed: false,
		});
		expect(posts(sim)).toEqual([]);
	});

	it('for a missing model, the error names the existing ones', async () => {
		await serve({ profile: 'router', models: [{ id: 'big' }] });
		expect((await getError(buildParameters('unload', 'small'))).description).toContain('big');
	});
});
