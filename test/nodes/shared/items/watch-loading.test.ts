/** Each wait of a run for its model is told once, and its report ends once. */
import { createServerError } from '../../../../lib/errors/create-error';
import { createModelServer } from '../../../../lib/servers/endpoint';
import { NOTICEABLE_WAIT_MS, watchLoading } from '../../../../nodes/shared/items/watch-loading';
import { NO_EXECUTION } from '../../../support/n8n/node-host';

/** The server of a run, and what is reported. */
function watch() {
	const hints: unknown[] = [];
	const reports: string[] = [];
	const context = { addExecutionHints: (hint: unknown) => hints.push(hint) } as never;
	const server = watchLoading(
		context,
		createModelServer({ baseUrl: 'http://s' }, NO_EXECUTION),
		() => {
			reports.push('begins');
			return (_waitedMs, error) =>
				reports.push(error === undefined ? 'ends' : `fails: ${error.type}`);
		},
	);
	return { server, reports, hints };
}

test('a wait that nobody notices is not told', () => {
	const { server, reports, hints } = watch();
	server.onLoading?.(NOTICEABLE_WAIT_MS - 1);
	server.onLoaded?.();
	expect({ reports, hints }).toEqual({ reports: [], hints: [] });
});

test.each([
	{ error: undefined, end: 'ends' },
	{ error: createServerError('modelLoading', {}), end: 'fails: modelLoading' },
])('several waits, of which the first $end', ({ error, end }) => {
	const { server, reports, hints } = watch();
	server.onLoading?.(NOTICEABLE_WAIT_MS);
	server.onLoading?.(2 * NOTICEABLE_WAIT_MS);
	server.onLoaded?.(error);
	server.onLoading?.(NOTICEABLE_WAIT_MS);
	server.onLoaded?.();
	expect(reports).toEqual(['begins', end]);
	expect(hints).toHaveLength(1);
});
