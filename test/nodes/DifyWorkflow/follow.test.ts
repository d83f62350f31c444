/** Forms of a run that is followed: submitted, expired, and passed over in a replay. */
import {
	ENDED,
	EXPIRED,
	RUN_ID,
	SECOND_FORM,
	STARTED,
	SUBMITTED,
	getTokens,
	startDify,
	toEvent,
	toNode,
	toPause,
	toReplay,
} from './form-events';
import { executeOperation } from './workflow';

jest.mock('../../../lib/http/sleep', () =>
	jest.requireActual<object>('../../support/waiting/mock-sleep'),
);

const follow = async (sim: { url: string }, onPause = 'return') => {
	const parameters = { workflowRunId: RUN_ID, options: { onPause } };
	return (await executeOperation(sim, 'run', 'follow', parameters))[0]!.json;
};

describe('Follow', () => {
	test.each([
		['succeeded', ENDED],
		['paused', SECOND_FORM],
	])('passes over a pause whose form was submitted: %s', async (status, events) => {
		const old = toReplay('ask');
		const sim = await startDify({
			attachments: [...Array.from({ length: 20 }, () => old), events],
			forms: { 'token-ask': SUBMITTED },
		});
		const item = await follow(sim);
		expect([item.status, getTokens(item)]).toEqual([
			status,
			status === 'paused' ? ['token-ask2'] : undefined,
		]);
	});

	test('returns an open form, and one that expired as expired', async () => {
		const open = await follow(await startDify({ attachments: [toReplay('ask')] }));
		expect([getTokens(open), open.warnings]).toEqual([['token-ask'], undefined]);
		const expired = await follow(
			await startDify({ attachments: [toReplay('ask')], forms: { 'token-ask': EXPIRED } }),
		);
		expect(expired).toMatchObject({
			forms: [{ isExpired: true }],
			warnings: [expect.stringContaining('"ask" expired')],
		});
	});

	test('names a form that expired during the run', async () => {
		const expiry = toEvent('human_input_form_timeout', { node_id: 'ask', node_title: 'Review' });
		const item = await follow(await startDify({ attachments: [[STARTED, expiry, ...ENDED]] }));
		expect(item.warnings).toEqual([expect.stringContaining('"Review" expired')]);
	});

	test.each([
		['a form that follows the replayed pause', [[...toReplay('ask'), ...SECOND_FORM]]],
		[
			'a form after another one was answered',
			[[STARTED, toNode('ask', 'succeeded'), ...toPause('ask2')]],
		],
		[
			'a form after the connection was lost',
			[toReplay('ask'), [...toReplay('ask'), ...SECOND_FORM]],
		],
	])('with Wait returns %s', async (_case, attachments) => {
		const sim = await startDify({ attachments, record: { status: 'paused', outputs: {} } });
		const item = await follow(sim, 'wait');
		expect([item.status, getTokens(item)]).toEqual(['paused', ['token-ask2']]);
	});

	test('with Wait waits for the form at which the run is paused', async () => {
		const sim = await startDify({ attachments: [[...SECOND_FORM, ...ENDED]] });
		expect(await follow(sim, 'wait')).toMatchObject({ status: 'succeeded' });
	});
});
