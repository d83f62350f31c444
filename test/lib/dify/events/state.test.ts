import { createRun, resultByEvents, reduce } from '../../../../lib/dify/events';
import { CHATFLOW, ENV, said } from '../play';
import { sampleContext, SAMPLES, transcript, wireText } from '../../../servers/dify';
import { parseJson } from '../../../../lib/json';

function eventsOf(text: string): unknown[] {
	return text
		.split('\n')
		.flatMap((line) => (line.startsWith('data: ') ? [parseJson(line.slice(6))] : []));
}

describe('the state of a run', () => {
	test('keeps the hints as they were at the beginning', () => {
		const hints = { acrossPauses: true };
		const state = createRun(hints);
		hints.acrossPauses = false;
		expect(state.hints).toEqual({ acrossPauses: true });
	});

	test('two runs at once, their events in turns, have nothing to do with each other', () => {
		const scripts = [SAMPLES.chatflow, { ...SAMPLES.chatflow, steps: said('another', ' answer') }];
		const streams = scripts.map((script) =>
			eventsOf(transcript(script, sampleContext(CHATFLOW)).map(wireText).join('')),
		);
		const alone = streams.map((events) => {
			const state = createRun();
			for (const event of events) reduce(state, event);
			return resultByEvents(state, 'eof');
		});
		const states = streams.map(() => createRun());
		for (let at = 0; at < Math.max(...streams.map(({ length }) => length)); at++)
			for (const [index, events] of streams.entries())
				if (at < events.length) reduce(states[index]!, events[at]);
		expect(states.map((state) => resultByEvents(state, 'eof'))).toEqual(alone);
		expect(alone.map(({ text }) => text)).toEqual(['Hello', 'another answer']);
	});

	test('the IDs can be read as soon as the first event has named them', () => {
		const state = createRun();
		expect(state.taskId).toBeUndefined();
		reduce(state, { event: 'message', ...ENV, answer: 'a' });
		expect(state).toMatchObject({ taskId: 't', conversationId: 'c', messageId: 'm', createdAt: 1 });
		// The first value of each stays.
		reduce(state, { event: 'message', ...ENV, task_id: 'other', answer: 'b' });
		expect(state.taskId).toBe('t');
	});
});
