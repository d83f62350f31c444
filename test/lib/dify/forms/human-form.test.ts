import * as fc from 'fast-check';
import {
	actionOf,
	checkedValues,
	getHumanForm,
	readHumanForm,
	submitHumanForm,
	tokenOf,
} from '../../../../lib/dify/forms/human-form';
import { followRun } from '../../../../lib/dify/run/follow';
import { runWorkflow } from '../../../../lib/dify/run/workflow';
import { PAGES, type FormStep } from '../../../servers/dify';
import { recordedAnswer, recordedCases } from '../../../support/dify-recordings';
import { examples } from '../../../support/properties';
import { calls, clientOf, failureOf, startApp, startSim } from '../client';

const NOTE = {
	output_variable_name: 'note',
	type: 'paragraph',
	default: { type: 'constant', value: 'as usual' },
};
const PICK = {
	output_variable_name: 'pick',
	type: 'select',
	option_source: { type: 'constant', value: ['Rot', 'Grün'] },
};
const FORM: FormStep = {
	nodeId: 'n',
	nodeTitle: 'Review',
	content: 'Draft',
	inputs: [NOTE, PICK],
	actions: [
		{ id: 'approve', title: 'Approve it' },
		{ id: 'reject', title: 'Reject' },
	],
	token: 'tok',
};
const ANSWER = { action: 'approve', inputs: { note: 'n', pick: 'Rot' }, user: 'u1' };

async function paused(forms: FormStep[] = [FORM], now?: () => number) {
	const steps = [{ pause: forms }];
	const options = now === undefined ? {} : { now };
	const sim = await startApp(
		{ mode: 'workflow', reply: () => ({ steps, outputs: { ok: 1 } }) },
		options,
	);
	const client = clientOf(sim, 'workflow');
	const { workflowRunId } = await runWorkflow(client, { inputs: {}, user: 'u1' });
	return { sim, client, runId: workflowRunId! };
}

const form = readHumanForm('tok', { inputs: [NOTE, PICK], user_actions: FORM.actions });

describe('a form, before it is sent', () => {
	test('values and defaults', () => {
		expect(checkedValues(form, { pick: 'Grün' }, new Set())).toEqual({
			note: 'as usual',
			pick: 'Grün',
		});
		expect(checkedValues(form, { pick: 'Rot', note: 5 }, new Set())).toEqual({
			note: '5',
			pick: 'Rot',
		});
	});

	test.each([
		[{}, '"pick" is empty'],
		[{ pick: 'Blau' }, '"pick" cannot be "Blau"'],
		[{ pick: 'Rot', other: 1 }, 'no field "other"'],
	])('%j is refused', (values, said) => {
		expect(() => checkedValues(form, values, new Set())).toThrow(said);
	});

	test('the action by its ID or by its button', () => {
		expect([actionOf(form, 'reject'), actionOf(form, ' approve IT ')]).toEqual([
			'reject',
			'approve',
		]);
		expect(() => actionOf(form, 'no')).toThrow('no action "no"');
	});

	test.each([null, undefined, '', ' '])(
		'without a token (%j) it is answered by e-mail only',
		(token) => {
			const said = (() => {
				try {
					return tokenOf(token);
				} catch (error) {
					return (error as { remedy: string }).remedy;
				}
			})();
			expect(said).toContain('by e-mail only');
		},
	);

	test('whatever a server sends is read', () => {
		fc.assert(
			fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.jsonValue(), (body, inputs) => {
				const read = readHumanForm('t', { ...body, inputs });
				expect(Array.isArray(read.inputs) && Array.isArray(read.actions)).toBe(true);
			}),
			examples(200),
		);
	});

	const recorded = recordedCases('1.14.2').filter(
		({ name, url, method }) =>
			url.startsWith('/v1/form/') &&
			method === 'GET' &&
			recordedAnswer('1.14.2', name).status === 200,
	);
	test.each(recorded.map(({ name }) => name))('as recorded: %s', (name) => {
		const body = JSON.parse(recordedAnswer('1.14.2', name).body.toString('utf8')) as Record<
			string,
			unknown
		>;
		const read = readHumanForm('t', body);
		expect(read.inputs).toHaveLength((body.inputs as unknown[]).length);
		expect(read.actions.map(({ id }) => id)).toEqual(['approve', 'reject']);
	});
});

describe('a form', () => {
	test('is read, answered, and the run goes on', async () => {
		const { client, runId } = await paused();
		const read = await getHumanForm(client, 'tok');
		expect(read).toMatchObject({
			formContent: 'Draft',
			actions: [{ id: 'approve', title: 'Approve it' }, { id: 'reject' }],
		});
		await submitHumanForm(client, 'tok', ANSWER);
		const result = await followRun(client, runId, 'u1');
		expect(result).toMatchObject({ status: 'succeeded', workflow: { outputs: { ok: 1 } } });
	});

	test('an answer that Dify refuses: its text, and the form is still open', async () => {
		const { client } = await paused();
		const failed = await failureOf(
			submitHumanForm(client, 'tok', { ...ANSWER, inputs: { note: 'n', pick: 'Blau' } }),
		);
		expect(failed).toMatchObject({ kind: 'formRejected' });
		expect(failed.serverText).toContain("Invalid value for select input 'pick'");
		expect(failed.remedy).toContain('still open');
	});

	test.each([
		[504, PAGES.nginx502],
		[200, 'null'],
		[200, PAGES.nginx502],
	])('an answer whose confirmation was lost counts as given: %i', async (status, body) => {
		const { client, sim, runId } = await paused();
		// The answer arrives, and only what Dify says to it is lost.
		await client.send('POST', '/form/human_input/tok', { ...ANSWER });
		sim.fail({ method: 'POST', path: '/form/', status, body });
		await submitHumanForm(client, 'tok', ANSWER);
		expect((await followRun(client, runId, 'u1')).status).toBe('succeeded');
	});

	test('an answer that was lost on its way is an error, and is not sent again', async () => {
		const { client, sim } = await paused();
		sim.fail({ method: 'POST', path: '/form/', how: 'reset' });
		await failureOf(submitHumanForm(client, 'tok', ANSWER));
		expect(calls(sim, '/form/human_input/tok')).toBe(1);
	});

	test('already answered by another user', async () => {
		const { client } = await paused();
		await submitHumanForm(client, 'tok', ANSWER);
		const failed = await failureOf(submitHumanForm(client, 'tok', ANSWER));
		expect(failed).toMatchObject({ kind: 'formClosed', message: 'The form was answered already' });
		expect(failed.remedy).toContain('Follow');
	});

	test('expired', async () => {
		let now = 1_000;
		const { client } = await paused([FORM], () => now);
		now += 1_000_000;
		const failed = await failureOf(submitHumanForm(client, 'tok', ANSWER));
		expect(failed).toMatchObject({ kind: 'formClosed', message: 'The form has expired' });
		expect(failed.remedy).toContain('Follow');
	});

	test('an unknown form', async () => {
		const sim = await startSim({});
		expect(await failureOf(getHumanForm(clientOf(sim, 'workflow'), 'nope'))).toMatchObject({
			kind: 'notFound',
			message: 'Dify does not find the form',
		});
	});

	test('a second form later in the run: only the new one is open', async () => {
		const second = { ...FORM, nodeId: 'n2', nodeTitle: 'Second', token: 'tok2' };
		const steps = [{ pause: [FORM] }, { pause: [second] }];
		const sim = await startApp({ mode: 'workflow', reply: () => ({ steps }) });
		const client = clientOf(sim, 'workflow');
		const { workflowRunId } = await runWorkflow(client, { inputs: {}, user: 'u1' });
		await submitHumanForm(client, 'tok', ANSWER);
		const result = await followRun(client, workflowRunId!, 'u1');
		expect(result.status).toBe('paused');
		expect(result.pause!.forms.map(({ formToken }) => formToken)).toEqual(['tok2']);
	});

	test('two forms at once: the other one is still open', async () => {
		const { client, runId } = await paused([FORM, { ...FORM, nodeId: 'n2', token: 'tok2' }]);
		await submitHumanForm(client, 'tok', ANSWER);
		const result = await followRun(client, runId, 'u1');
		expect(result.pause!.forms.map(({ formToken }) => formToken)).toContain('tok2');
	});
});
