/** The reader of Dify's streams, fed with what a real Dify 1.14.2 and 1.16.0 sent. */
import { createRun, resultByEvents, reduce } from '../../../../lib/dify/events';
import { recordedAnswer, recordedCases, RECORDED_VERSIONS } from '../../../support/dify-recordings';
import { sseJson } from '../../../support/streams';

describe.each(RECORDED_VERSIONS)('streams of Dify %s', (version) => {
	const streams = recordedCases(version).filter(
		({ name, url }) =>
			!url.includes('/events') &&
			recordedAnswer(version, name).headers.some(([, value]) =>
				value.startsWith('text/event-stream'),
			),
	);

	test.each(streams.map(({ name }) => name))('%s', (name) => {
		const events = sseJson(recordedAnswer(version, name).body);
		const state = createRun();
		const shown: string[] = [];
		for (const event of events) {
			for (const delta of reduce(state, event).deltas) {
				if (delta.type === 'replace') shown.splice(0);
				shown.push(delta.text);
			}
		}
		const result = resultByEvents(state, 'eof');
		expect(shown.join('')).toBe(result.text);

		const last = (kind: string) => events.findLast((event) => event.event === kind);
		const failed = last('error') ?? undefined;
		const ended = last('message_end') ?? last('workflow_finished') ?? last('workflow_paused');
		if (failed !== undefined)
			expect(result).toMatchObject({ status: 'failed', error: expect.anything() as object });
		else if (ended === undefined) expect(result.status).toBe('failed');
		const ids = events.find((event) => event.conversation_id !== undefined);
		expect(result.conversationId).toBe(ids?.conversation_id);
		// The made-up run of an input error has neither a task nor an ID that Dify would know (docs/protocols/dify.md 12.3).
		const own = events.find(
			(event) => event.task_id !== undefined && event.task_id !== event.workflow_run_id,
		);
		expect(result.taskId).toBe(own?.task_id);
		if (own === undefined && failed === undefined && ended !== undefined)
			expect([result.workflowRunId, result.error?.cause]).toEqual([undefined, 'refused']);
	});
});
