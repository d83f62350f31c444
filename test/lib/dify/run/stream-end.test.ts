import { createDifyError } from '../../../../lib/dify/create-error';
import { getStreamEnd } from '../../../../lib/dify/run/stream-end';
import { pollRunRecord } from '../../../../lib/dify/run/run-record';
import { applyEvent, createRunState } from '../../../../lib/dify/run/run-state';
import { getError } from '../../../support/jest/get-error';
import { createClient, startSim, UNKNOWN_ID } from '../client';

const IDS = { conversation_id: 'c', message_id: 'm', task_id: 't', workflow_run_id: 'r' };
const STARTED = { event: 'workflow_started', ...IDS, data: { id: 'r' } };
const TEXT = { event: 'message', ...IDS, answer: 'Hello' };
const MESSAGE_END = { event: 'message_end', ...IDS };
const FINISHED = { event: 'workflow_finished', ...IDS, data: { status: 'succeeded' } };
const FAILED = { event: 'workflow_finished', ...IDS, data: { status: 'failed', error: 'x' } };

const TIMEOUT = createDifyError('idleTimeout');
const LOST = createDifyError('connectionLost');
const GATEWAY = createDifyError('badGateway', { status: 502 });

function play(events: object[], error?: typeof LOST, mayLackText = false) {
	const run = createRunState({ mayLackText });
	for (const event of events) applyEvent(run, event);
	return getStreamEnd(run, error);
}

test.each<[string, object[], typeof LOST | undefined, object]>([
	['both end events', [STARTED, TEXT, FINISHED, MESSAGE_END], undefined, { type: 'runEnded' }],
	['an error after the end', [STARTED, MESSAGE_END, FINISHED], LOST, { type: 'runEnded' }],
	['an end without message_end', [STARTED, TEXT, FINISHED], LOST, { missing: 'finalEvent' }],
	['a failure without message_end', [STARTED, FAILED], LOST, { missing: undefined }],
	['a message without an end', [STARTED, TEXT, MESSAGE_END], undefined, { missing: 'status' }],
	['a timeout after message_end', [STARTED, TEXT, MESSAGE_END], TIMEOUT, { missing: 'status' }],
	['only pings', [], TIMEOUT, { type: 'timedOut', error: TIMEOUT }],
	['a timeout during the text', [STARTED, TEXT], TIMEOUT, { type: 'timedOut', error: TIMEOUT }],
	['a lost connection', [STARTED, TEXT], LOST, { type: 'broken', error: LOST }],
	['the end of the stream', [STARTED, TEXT], undefined, { type: 'broken', error: undefined }],
	['an error response', [], GATEWAY, { type: 'errorResponse', error: GATEWAY }],
])('how a stream ends: %s', (_name, events, error, streamEnd) => {
	expect(play(events, error)).toMatchObject(streamEnd);
});

test('the message of a run that was followed may lack its beginning', () => {
	for (const error of [undefined, TIMEOUT, LOST])
		expect(play([STARTED, TEXT, MESSAGE_END], error, true)).toEqual({ type: 'broken', error });
});

test('a run with too much text ends as too long', () => {
	const run = createRunState();
	const event = { ...TEXT, answer: 'x'.repeat(1024 * 1024) };
	const applyThree = () => [STARTED, event, event, event].map((each) => applyEvent(run, each));
	expect(applyThree).toThrow();
	expect(getStreamEnd(run, LOST)).toEqual({ type: 'textTooLong', error: LOST });
});

test('a run that is polled once is requested once', async () => {
	const sim = await startSim({});
	sim.fail({
		path: /\/workflows\/run\//,
		status: 200,
		contentType: 'application/json',
		body: JSON.stringify({ id: UNKNOWN_ID, status: 'running' }),
		times: 9,
	});
	const polling = pollRunRecord(createClient(sim, 'workflow'), UNKNOWN_ID, { once: true });
	expect((await getError(polling)).type).toBe('runTimeout');
	expect(sim.requests).toHaveLength(1);
});
