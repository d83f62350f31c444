import * as fc from 'fast-check';
import {
	actionOf,
	checkedValues,
	getHumanForm,
	readHumanForm,
	submitHumanForm,
	tokenOf,
} from '../../../../lib/dify/forms/human-form';
import { follow, runWorkflow } from '../../../../lib/dify/run/workflow';
import { SIM_VERSIONS, PAGES, type FormStep, type SimVersion } from '../../../servers/dify';
import { recordedAnswer, recordedCases } from '../../../support/dify-recordings';
import { examples } from '../../../support/properties';
import { waitFor } from '../ask';
import { calls, clientOf, failureOf, startApp, startSim } from '../client';

const NEWER = SIM_VERSIONS.filter((version) => version !== '1.12');
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

async function paused(version: SimVersion, forms: FormStep[] = [FORM], now?: () => number) {
	const steps = [{ pause: forms }];
	const options = now === undefined ? {} : { now };
	const sim = await startApp(
		version,
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

describe.each(NEWER)('a form, %s', (version) => {
	test('is read, answered, and the run goes on', async () => {
		const { client, runId } = await paused(version);
		const read = await getHumanForm(client, 'tok');
		expect(read).toMatchObject({
			formContent: 'Draft',
			actions: [{ id: 'approve', title: 'Approve it' }, { id: 'reject' }],
		});
		await submitHumanForm(client, 'tok', ANSWER);
		const result = await follow(client, runId, 'u1', { answered: new Set(['tok']) });
		expect(result).toMatchObject({ status: 'succeeded', workflow: { outputs: { ok: 1 } } });
	});

	test('an answer that Dify refuses: its text, and the form is still open', async () => {
		const { client } = await paused(version);
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
		const { client, sim, runId } = await paused(version);
		// The answer arrives, and only what Dify says to it is lost.
		await client.send('POST', '/form/human_input/tok', { ...ANSWER });
		sim.fail({ method: 'POST', path: '/form/', status, body });
		await submitHumanForm(client, 'tok', ANSWER);
		expect((await follow(client, runId, 'u1', {})).status).toBe('succeeded');
	});

	test('an answer that was lost on its way is an error, and is not sent again', async () => {
		const { client, sim } = await paused(version);
		sim.fail({ method: 'POST', path: '/form/', how: 'reset' });
		await failureOf(submitHumanForm(client, 'tok', ANSWER));
		expect(calls(sim, '/form/human_input/tok')).toBe(1);
	});

	test('already answered by another user', async () => {
		const { client } = await paused(version);
		await submitHumanForm(client, 'tok', ANSWER);
		const failed = await failureOf(submitHumanForm(client, 'tok', ANSWER));
		expect(failed).toMatchObject({ kind: 'formClosed', message: 'The form was answered already' });
		expect(failed.remedy).toContain('Follow');
	});

	test('expired', async () => {
		let now = 1_000;
		const { client } = await paused(version, [FORM], () => now);
		now += 1_000_000;
		const failed = await failureOf(submitHumanForm(client, 'tok', ANSWER));
		expect(failed).toMatchObject({ kind: 'formClosed', message: 'The form has expired' });
		expect(failed.remedy).toContain('Follow');
	});

	test('an unknown form', async () => {
		const sim = await startSim({ version });
		expect(await failureOf(getHumanForm(clientOf(sim, 'workflow'), 'nope'))).toMatchObject({
			kind: 'notFound',
			message: 'Dify does not find the form',
		});
	});

	test('the old pause is shown once more after the answer: the node attaches again', async () => {
		const { client, sim, runId } = await paused(version);
		sim.store.resumeMs = 1_000;
		await submitHumanForm(client, 'tok', ANSWER);
		// What the run still showed when it was attached to.
		sim.store.reopened = true;
		const following = follow(client, runId, 'u1', {
			answered: new Set(['tok']),
			waits: { pauseMs: 5 },
		});
		await waitFor(() => sim.requests.filter(({ url }) => url.includes('/events')).length > 1);
		expect((await following).status).toBe('succeeded');
	});

	test('a run that does not go on after its form was answered', async () => {
		const { client, sim, runId } = await paused(version);
		sim.store.resumeMs = 60_000;
		sim.store.reopened = true;
		await submitHumanForm(client, 'tok', ANSWER);
		const options = { answered: new Set(['tok']), waits: { pauseMs: 5, resumeMs: 30 } };
		expect(await failureOf(follow(client, runId, 'u1', options))).toMatchObject({
			kind: 'timeout',
			message: 'The run in Dify does not go on',
		});
	});

	test('a second form later in the run: only the new one is open', async () => {
		const second = { ...FORM, nodeId: 'n2', nodeTitle: 'Second', token: 'tok2' };
		const steps = [{ pause: [FORM] }, { pause: [second] }];
		const sim = await startApp(version, { mode: 'workflow', reply: () => ({ steps }) });
		const client = clientOf(sim, 'workflow');
		const { workflowRunId } = await runWorkflow(client, { inputs: {}, user: 'u1' });
		await submitHumanForm(client, 'tok', ANSWER);
		const result = await follow(client, workflowRunId!, 'u1', { answered: new Set(['tok']) });
		expect(result.status).toBe('paused');
		expect(result.pause!.forms.map(({ formToken }) => formToken)).toEqual(['tok2']);
	});

	test('two forms at once: the other one is still open', async () => {
		const { client, runId } = await paused(version, [
			FORM,
			{ ...FORM, nodeId: 'n2', token: 'tok2' },
		]);
		await submitHumanForm(client, 'tok', ANSWER);
		const result = await follow(client, runId, 'u1', { answered: new Set(['tok']) });
		expect(result.pause!.forms.map(({ formToken }) => formToken)).toEqual(['tok2']);
	});
});

test('Dify 1.12 has no forms', async () => {
	const sim = await startSim({ version: '1.12' });
	const failed = await failureOf(getHumanForm(clientOf(sim, 'workflow'), 'tok'));
	expect(failed.message).toBe('Answering a form needs Dify 1.14 or newer, this is 1.12.1');
});
