/** The reader of Dify's streams, fed with what a real Dify 1.12.1 and 1.14.2 sent. */
import { createRun, finish, reduce } from '../../../lib/dify/events';
import { eventsOf } from '../../servers/dify/recordings/compare';
import { recordedAnswer, recordedCases, RECORDED_VERSIONS } from '../../support/dify-recordings';

describe.each(RECORDED_VERSIONS)('streams of Dify %s', (version) => {
	const streams = recordedCases(version).filter(
		({ name, url }) =>
			!url.includes('/events') &&
			recordedAnswer(version, name).headers.some(([, value]) => value.startsWith('text/event-stream')),
	);

	test.each(streams.map(({ name }) => name))('%s', (name) => {
		const events = eventsOf(recordedAnswer(version, name).body);
		const state = createRun();
		const shown: string[] = [];
		for (const event of events) {
			for (const delta of reduce(state, event).deltas) {
				if (delta.type === 'replace') shown.splice(0);
				shown.push(delta.text);
			}
		}
		const result = finish(state, 'eof');
		expect(shown.join('')).toBe(result.text);

		const last = (kind: string) => events.findLast((event) => event.event === kind);
		const failed = last('error') ?? undefined;
		const ended = last('message_end') ?? last('workflow_finished') ?? last('workflow_paused');
		if (failed !== undefined) expect(result).toMatchObject({ status: 'failed', error: expect.anything() as object });
		else if (ended === undefined) expect(result.status).toBe('failed');
		const ids = events.find((event) => event.conversation_id !== undefined);
		expect(result.conversationId).toBe(ids?.conversation_id);
		expect(result.taskId).toBe(events.find((event) => event.task_id !== undefined)?.task_id);
	});
});
