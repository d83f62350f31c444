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
});

test('JSON is converted to the types of the form, as App Fields are', async () => {
	const sim = await startApp({
		mode: 'chat',
		form: [
			{ kind: 'text-input', variable: 'plz' },
			{ kind: 'number', variable: 'count' },
		],
	});
	await sendMessageJson(sim, { parameters: { inputsJson: '{"plz": 80331, "count": "7"}' } });
	const value = { plz: 80_331, count: '7' };
	await sendMessageJson(sim, { parameters: { inputsMode: 'form', inputs: { value } } });
	expect(sim.runs.map(({ inputs }) => inputs)).toEqual([
		{ plz: '80331', count: 7 },
		{ plz: '80331', count: 7 },
	]);
});

test.each(['form', 'json'])(
	'the fields of another app are named, with the cure: inputs as %s',
	async (inputsMode) => {
		const sim = await startApp({
			mode: 'chat',
			form: [
				{ kind: 'text-input', variable: 'topic', required: true },
				{ kind: 'text-input', variable: 'style' },
			],
		});
		const value = { city: 'Rome' };
		const parameters = { inputsMode, inputs: { value }, inputsJson: JSON.stringify(value) };
		const error = await sendMessageError(sim, { parameters });
		expect(error.message).toContain('The app has no field "city", and requires "topic"');
		expect(error.description).toContain(
			inputsMode === 'form' ? 'Refresh Field List' : 'Correct Inputs as JSON',
		);
		expect(sim.runs).toEqual([]);
	},
);

describe('a file of the form as n8n describes it', () => {
	const document = { data: 'JVBERi0xLjcK', mimeType: 'application/pdf', fileName: 'terms.pdf' };
	const send = async (picture: unknown) => {
		const sim = await startApp({ mode: 'chat', form: [{ kind: 'file', variable: 'document' }] });
		const fake = prepareNode('difyChatMessage', sim, {
			items: [{ json: {}, binary: { Document: document } }],
			parameters: { inputsMode: 'form', inputs: { value: { document: picture } } },
		});
		return { sim, run: executePrepared('difyChatMessage', fake) };
	};

	test.each([
		['$json.Document', { filename: 'terms.pdf', mimetype: 'application/pdf', size: 9 }],
		['$binary.Document', document],
		['its name', 'Document'],
		['a list of it', [{ filename: 'terms.pdf' }]],
	])('%s', async (_name, picture) => {
		const { sim, run } = await send(picture);
		await run;
		expect(sim.runs[0]!.inputs).toMatchObject({ document: { filename: 'terms.pdf' } });
	});

	test('one that the item does not have is an error that names the field', async () => {
		const { run } = await send({ fileName: 'other.pdf', mimeType: 'application/pdf' });
		await expect(run).rejects.toMatchObject({
			message: expect.stringContaining('describe the file "other.pdf"') as string,
			description: expect.stringContaining('Enter Document in the field') as string,
		});
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
