import { recordedExchanges } from '../../../servers/model-recordings/exchange';
import { reply } from '../../../servers/llama-server';
import { useLocalLlama } from '../run-node';

const { serve, prepare, executeIn, execute, json, failure, sent } = useLocalLlama();
const slot = (operation: string, more: object = {}) => ({
	resource: 'slot',
	operation,
	fileName: 's0.bin',
	model: '',
	...more,
});
const recorded = (name: string) => {
	const { answer } = recordedExchanges('llama-server-v0.5.0/slots').find(
		(one) => one.name === name,
	)!;
	return reply.error(answer.status, JSON.parse(answer.text!));
};
const server = async (routes: Record<string, string> = {}) => {
	const sim = await serve({ slots: 2 });
	for (const [route, name] of Object.entries(routes)) sim.route(route, recorded(name));
	return sim;
};
type Sim = Awaited<ReturnType<typeof serve>>;
const posts = (sim: Sim) => sim.requests.filter(({ method }) => method === 'POST');

describe('a slot of llama-server v0.5.0', () => {
	it.each([
		[
			'save',
			'slot-save',
			{ slot: 0, fileName: 's0.bin', tokens: 29, bytes: 15408, milliseconds: 0.125 },
		],
		[
			'restore',
			'slot-restore',
			{ slot: 0, fileName: 's0.bin', tokens: 29, bytes: 15408, milliseconds: 0.106 },
		],
	])('%s', async (operation, name, result) => {
		const sim = await server({ 'POST /slots/0': name });
		expect(await json(slot(operation, { slot: 0 }))).toEqual(result);
		expect(posts(sim)[0]).toMatchObject({ body: { filename: 's0.bin' } });
		expect(posts(sim)[0]!.query.get('action')).toBe(operation);
	});

	it('erase', async () => {
		await server({ 'POST /slots/1': 'slot-erase-body' });
		expect(await json(slot('erase', { slot: '1' }))).toEqual({ slot: 1, tokens: 0 });
	});

	it('that the server does not have is refused: it would take the number modulo its slots', async () => {
		const sim = await server({ 'POST /slots/9': 'slot-modulo' });
		expect(await failure(slot('save', { slot: 9 }))).toMatchObject({
			message: 'The server has no slot 9',
			description: expect.stringContaining('numbered from 0 to 1') as string,
		});
		for (const wrong of [-1, null, ''])
			expect((await failure(slot('erase', { slot: wrong }))).message).toContain('"Slot" must be');
		expect(posts(sim)).toEqual([]);
	});

	it.each(['', '../x', 'a/b', 'a\\b', '.'])(
		'a file named %j is refused before anything is sent',
		async (fileName) => {
			const sim = await server();
			expect((await failure(slot('save', { fileName }))).message).toContain('name');
			expect(sim.requests).toEqual([]);
		},
	);

	it.each(['slot-restore-missing', 'slot-restore-foreign'])(
		'%s: says what that means',
		async (name) => {
			await server({ 'POST /slots/0': name });
			const failed = await failure(slot('restore'));
			expect(failed.message).toBe('The slot could not be restored from "s0.bin"');
			expect(failed.description).toContain(
				'is missing, or it is from another model or another context size',
			);
		},
	);

	it.each([
		['save', 'slot-save-501'],
		['erase', 'slot-erase-501'],
	])('%s on a server that was not started for it names the flag', async (operation, name) => {
		await server({ 'POST /slots/0': name });
		expect((await failure(slot(operation))).description).toContain('--slot-save-path');
	});

	it('of a server without the route: says so, and does not lead to the Base URL', async () => {
		const sim = await serve({ alias: 'one' });
		for (const route of ['GET /props', 'POST /slots/0'] as const)
			sim.route(route, reply.error(404, { detail: 'Not Found' }));
		const failed = await failure(slot('save'));
		expect(failed.message).toBe('The server has no route for slots');
		expect(failed.description).not.toMatch(/Base URL|--slot-save-path/);
	});

	it('of an older server, which has no route without the folder, names the flag', async () => {
		const sim = await serve({ slots: 2 });
		sim.route('POST /slots/0', reply.error(404, 'File Not Found'));
		expect((await failure(slot('save'))).description).toContain('--slot-save-path');
	});

	it('that held nothing is told', async () => {
		await server({ 'POST /slots/0': 'slot-save-empty' });
		const fake = prepare({ parameters: slot('save') });
		await executeIn(fake);
		expect(fake.hints.map(({ message }) => message)).toEqual([
			'Slot 0 held nothing, so there was nothing to save.',
		]);
	});

	it('of a router: the model goes in the body, also where there is nothing else', async () => {
		const sim = await serve({ profile: 'router', models: [{ id: 'chat', status: 'loaded' }] });
		sim.route('POST /slots/0', recorded('router-slot-erase-body'));
		expect(await json(slot('erase', { model: 'chat' }))).toEqual({ slot: 0, tokens: 0 });
		expect(posts(sim)[0]!.body).toEqual({ model: 'chat' });
		expect((await failure(slot('erase'))).message).toBe('No model is chosen');
	});

	it('is nothing that Ollama has', async () => {
		await serve({ profile: 'ollama' });
		expect((await failure(slot('save'))).message).toBe('Ollama has no slots');
	});
});

describe('adapters of llama-server v0.5.0', () => {
	const adapter = (operation: string, more: object = {}) => ({
		resource: 'adapter',
		operation,
		model: '',
		...more,
	});

	it('are listed', async () => {
		await server({ 'GET /lora-adapters': 'lora-list' });
		expect((await execute({ parameters: adapter('getAll') })).map((item) => item.json)).toEqual([
			{ id: 0, path: '/models/lora1.gguf', scale: 1 },
			{ id: 1, path: '/models/lora2.gguf', scale: 1 },
		]);
	});

	it('are none where the server has none', async () => {
		await server({ 'GET /lora-adapters': 'lora-list-empty' });
		expect(await execute({ parameters: adapter('getAll') })).toEqual([]);
		expect(
			(await failure(adapter('set', { adapters: [{ id: 0, scale: 1 }] }))).description,
		).toContain('--lora FILE');
	});

	it('are set for everybody, which is said, and looked at afterwards', async () => {
		const sim = await server({ 'POST /lora-adapters': 'lora-set' });
		let looks = 0;
		sim.route('GET /lora-adapters', () =>
			recorded(looks++ === 0 ? 'lora-list' : 'lora-list-after-set'),
		);
		const fake = prepare({ parameters: adapter('set', { adapters: '[{"id":0,"scale":"0.5"}]' }) });
		expect((await executeIn(fake)).map((item) => [item.json.id, item.json.scale])).toEqual([
			[0, 0.5],
			[1, 0],
		]);
		expect(sent('/lora-adapters').filter(Boolean)).toEqual([[{ id: 0, scale: 0.5 }]]);
		expect(fake.hints.map(({ message }) => message)).toEqual([
			expect.stringContaining('everybody'),
		]);
	});

	it('that the server does not have are refused, although it would say success', async () => {
		const sim = await server({
			'GET /lora-adapters': 'lora-list',
			'POST /lora-adapters': 'lora-set-unknown',
		});
		expect(await failure(adapter('set', { adapters: [{ id: 7, scale: 1 }] }))).toMatchObject({
			message: 'The server has no adapter 7',
			description: expect.stringContaining('1 (/models/lora2.gguf)') as string,
		});
		expect(posts(sim)).toEqual([]);
	});

	it('that were not set are an error, although the server said success', async () => {
		await server({ 'GET /lora-adapters': 'lora-list', 'POST /lora-adapters': 'lora-set' });
		expect(
			(await failure(adapter('set', { adapters: [{ id: 0, scale: 0.5 }] }))).message,
		).toContain('did not set adapter 0');
	});

	it('go off all together only where that is wanted', async () => {
		const sim = await server({
			'GET /lora-adapters': 'lora-list-after-empty',
			'POST /lora-adapters': 'lora-set-empty',
		});
		expect((await failure(adapter('set', { adapters: [] }))).message).toContain(
			'would switch all of them off',
		);
		expect(sim.requests).toEqual([]);
		const items = await execute({
			parameters: adapter('set', { adapters: '[]', options: { allOff: true } }),
		});
		expect(items.map((item) => item.json.scale)).toEqual([0, 0]);
	});

	it.each([[[5]], [[{ id: 0 }]], [[{ id: 'x', scale: 1 }]], [[{ scale: 1 }]]])(
		'%j names what is wrong',
		async (adapters) => {
			const sim = await server();
			expect((await failure(adapter('set', { adapters }))).message).toContain('Adapters');
			expect(posts(sim)).toEqual([]);
		},
	);
});
