import { countRequests, startApp, startSim } from '../../../lib/dify/client';
import { appKey } from '../../../simulators/dify';
import { getItemError, createNumberedItems, prepare, execute } from '../../dify';

describe('many items', () => {
	test('items may have different apps', async () => {
		const sim = await startSim();
		const credentials = (['chat', 'advanced-chat'] as const).map((mode) => ({
			baseUrl: sim.url,
			apiKey: appKey(mode),
			keyType: 'app',
		}));
		await execute(prepare(sim, { ...createNumberedItems(2), credentials }));
		expect(sim.runs.map(({ app }) => app.mode)).toEqual(['chat', 'advanced-chat']);
	});
});

describe('inputs', () => {
	test('the form is fetched once for all items, and not at all if nothing is filled in', async () => {
		const sim = await startApp({
			mode: 'chat',
			form: [{ kind: 'text-input', variable: 'city' }],
		});
		await execute(
			prepare(sim, {
				items: [{ json: {} }, { json: {} }, { json: {} }],
				parameters: { inputsMode: 'form', inputs: { value: { city: 'Rome' } } },
			}),
		);
		expect(countRequests(sim, '/parameters', 'GET')).toBe(1);
		await execute(prepare(sim, { parameters: { inputsMode: 'form', inputs: { value: null } } }));
		await execute(
			prepare(sim, { parameters: { inputsMode: 'form', inputs: { value: { city: null } } } }),
		);
		expect(countRequests(sim, '/parameters', 'GET')).toBe(1);
	});

	test('a form that could not be loaded is fetched again by the next item', async () => {
		const sim = await startApp({
			mode: 'chat',
			form: [{ kind: 'text-input', variable: 'city' }],
		});
		sim.fail({
			path: '/parameters',
			status: 400,
			body: '{"code":"app_unavailable","message":"App unavailable","status":400}',
			contentType: 'application/json',
		});
		const items = await execute(
			prepare(sim, {
				items: [{ json: {} }, { json: {} }],
				continueOnFail: true,
				parameters: { inputsMode: 'form', inputs: { value: { city: 'Rome' } } },
			}),
		);
		expect(items.map((item) => getItemError(item)?.type ?? item.json.answer)).toEqual([
			'appUnavailable',
			'You said: hi',
		]);
	});
});
