import { RUN_ROUTES, startRun } from '../../../lib/dify/run';
import { clientOf, closeSims, startApp, startSim } from '../../lib/dify/client';
import { SIM_VERSIONS } from '../../servers/dify';
import { chat, executeIn, prepareNode } from '../dify';

afterEach(closeSims);

describe.each(SIM_VERSIONS)('inputs, %s', (version) => {
	test('Inputs: values keep their types, empty ones are sent, and {} is enough for every type of app', async () => {
		const sim = await startApp(version, {
			mode: 'chat',
			form: [
				{ kind: 'number', variable: 'days' },
				{ kind: 'checkbox', variable: 'terse' },
				{ kind: 'text-input', variable: 'note' },
				{ kind: 'json_object', variable: 'more' },
			],
		});
		const inputs = { days: 0, terse: false, note: '', more: { a: [1] } };
		await chat(sim, { parameters: { inputsJson: JSON.stringify(inputs) } });
		await chat(sim, { parameters: { inputsMode: 'form', inputs: { value: inputs } } });
		expect(sim.runs.map((run) => run.inputs)).toEqual([inputs, inputs]);
		const all = await startSim({ version });
		for (const mode of ['completion', 'workflow'] as const)
			expect((await startRun(clientOf(all, mode), RUN_ROUTES[mode], { inputs: {} }, 'u1')).status).toBe('succeeded');
	});
});

test('a field that was renamed in Dify is told, not dropped without a word', async () => {
	const sim = await startApp('1.12', { mode: 'chat', form: [{ kind: 'text-input', variable: 'city' }] });
	const value = { town: 'Rome', country: '', city: 'Rome' };
	const fake = prepareNode('difyChatMessage', sim, { parameters: { inputsMode: 'form', inputs: { value } } });
	await executeIn('difyChatMessage', fake);
	expect(sim.runs[0]!.inputs).toEqual({ city: 'Rome' });
	expect(fake.hints.map(({ message }) => message)).toEqual([expect.stringContaining('no field "town"')]);
});
