import { sendMessageError, sendMessageJson, executePrepared, prepareNode } from '../../dify';
import { countRequests, startApp } from '../../../lib/dify/client';
import { getItemError, prepare, execute } from '../../dify';

test.each(['form', 'json'])(
	'an unpublished app is reported as such: inputs as %s',
	async (inputsMode) => {
		const sim = await startApp({ mode: 'advanced-chat', published: false });
		const parameters = {
			inputsMode,
			inputs: { value: { city: 'Rome' } },
			inputsJson: '{"city":"Rome"}',
		};
		const failed = await sendMessageError(sim, { mode: 'advanced-chat', parameters });
		expect(failed.description).toContain('Publish the app in Dify');
		expect(failed.context.data).toMatchObject({ type: 'notPublished' });
	},
);

test('a field that was renamed in Dify causes a warning', async () => {
	const sim = await startApp({
		mode: 'chat',
		form: [{ kind: 'text-input', variable: 'city' }],
	});
	const value = { town: 'Rome', country: '', city: 'Rome' };
	const fake = prepareNode('difyChatMessage', sim, {
		parameters: { inputsMode: 'form', inputs: { value } },
	});
	await executePrepared('difyChatMessage', fake);
	expect(sim.runs[0]!.inputs).toEqual({ city: 'Rome' });
	expect(fake.hints.map(({ message }) => message)).toEqual([
		expect.stringContaining('no field "town"'),
	]);
});

test.each([
	['difyChatMessage', 'chat', { query: 'hi' }],
	['difyApp', 'completion', { resource: 'text', operation: 'generate', text: '' }],
	['difyWorkflow', 'workflow', {}],
] as const)('%s: so is one in the JSON, which Dify drops', async (name, mode, parameters) => {
	const form = [{ kind: 'text-input' as const, variable: 'city' }];
	const sim = await startApp({ mode, form });
	const hintsFor = async (inputsJson: string) => {
		const fake = prepareNode(name, sim, { mode, parameters: { ...parameters, inputsJson } });
		await executePrepared(name, fake);
		return fake.hints.map(({ message }) => message);
	};
	expect(await hintsFor('{"town":"Rome","country":"","city":"Rome"}')).toEqual([
		expect.stringContaining('no field "town", so the value was dropped'),
	]);
	expect(await hintsFor('{"city":"Rome"}')).toEqual([]);
});

test('JSON is sent unchanged; invalid JSON is rejected', async () => {
	const sim = await startApp({
		mode: 'chat',
		form: [{ kind: 'text-input', variable: 'city' }],
	});
	await sendMessageJson(sim, { parameters: { inputsJson: '{"city":"<Rome> & \\"more\\""}' } });
	await sendMessageJson(sim, { parameters: { inputsJson: { city: 'Paris' } } });
	expect(sim.runs.map(({ inputs }) => inputs)).toEqual([
		{ city: '<Rome> & "more"' },
		{ city: 'Paris' },
	]);
	expect(
		(await sendMessageError(sim, { parameters: { inputsJson: '{"city"' } })).message,
	).toContain('not a JSON object');
	expect(
		(await sendMessageError(sim, { parameters: { inputsJson: '{"city":7}' } })).message,
	).toContain('must be a string');
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
