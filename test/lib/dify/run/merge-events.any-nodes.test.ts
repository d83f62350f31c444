/** The nodes of a run from any events, in any order: what was said last of each, and no error of an attempt that was repeated. */
import fc from 'fast-check';
import { applyEvent, createRunState } from '../../../../lib/dify/run/run-state';
import type { WorkflowNode } from '../../../../lib/dify/types';

const event = fc.record({
	event: fc.constantFrom('node_started', 'node_retry', 'node_finished'),
	id: fc.constantFrom('one', 'other'),
	title: fc.constantFrom('A', 'B', undefined),
	status: fc.constantFrom('succeeded', 'failed', 'exception', 'paused', undefined),
	node_type: fc.constantFrom('human-input', 'llm', undefined),
	error: fc.constantFrom('E1', 'E2', '', undefined),
	index: fc.constantFrom(0, 1, undefined),
});
type NodeEvent = ReturnType<(typeof event)['generate']>['value'];

interface Expected {
	id: string;
	status: string;
	title?: string;
	error?: string;
	index?: number;
	retries?: number;
}

/** One event after the other. */
function toExpected(events: readonly NodeEvent[]): Expected[] {
	const nodes = new Map<string, Expected>();
	for (const { event: name, id, title, status = 'succeeded', error, index } of events) {
		const node: Expected = nodes.get(id) ?? { id, status: 'running' };
		nodes.set(id, node);
		node.title = title ?? node.title;
		node.index = index ?? node.index;
		if (name === 'node_started') continue;
		if (name === 'node_retry') node.retries = (node.retries ?? 0) + 1;
		node.status = status;
		// The next attempt was right.
		if (status === 'succeeded') node.error = undefined;
		node.error = error || node.error;
	}
	return [...nodes.values()];
}

test('any events', () => {
	fc.assert(
		fc.property(fc.array(event, { maxLength: 6 }), (events) => {
			const run = createRunState();
			for (const { event: name, ...data } of events) applyEvent(run, { event: name, data });
			const nodes = (run.workflow?.nodes ?? []).map(
				({ id, status, title, error, index, retries }) => ({
					id,
					status,
					title,
					error,
					index,
					retries,
				}),
			);
			expect(nodes).toEqual(toExpected(events));
			const count = (isCounted: (node: WorkflowNode) => boolean) =>
				(run.workflow?.nodes ?? []).filter(isCounted).length;
			expect(run.nodeCounts).toEqual({
				paused: count(({ status }) => status === 'paused'),
				answered: count(({ type, status }) => type === 'human-input' && status === 'succeeded'),
			});
		}),
		{ numRuns: 300 },
	);
});
