/** A router that processes or has queued any numbers of requests, by its metrics or its slots: when it unloads a model. */
import fc from 'fast-check';
import { runModelAction } from '../../../../lib/servers/model-actions';
import { examples } from '../../../support/jest/properties';
import { json, useServers } from '../../../support/servers/scripted-server';
import type { Answer } from '../../../support/servers/scripted-server';
import { createModelServer } from '../../../../lib/servers/endpoint';
import { LLAMA, list } from '../json-server';
import { NO_EXECUTION } from '../../../support/n8n/node-host';

const start = useServers();

/** What a look at the server shows. */
interface Look {
	processing: number;
	/** Undefined: this version does not report it. */
	deferred: number | undefined;
}

const look = fc.record<Look>({
	processing: fc.nat(2),
	deferred: fc.option(fc.nat(2), { nil: undefined }),
});
const count = ({ processing, deferred = 0 }: Look): number => processing + deferred;

test('any looks, with and without waiting', async () => {
	const cases = fc.record({
		looks: fc.array(look, { maxLength: 3 }),
		hasMetrics: fc.boolean(),
		wait: fc.boolean(),
	});
	await fc.assert(
		fc.asyncProperty(cases, async ({ looks, hasMetrics, wait }) => {
			const seen = [...looks, { processing: 0, deferred: 0 }];
			// Slots show only what runs.
			const counts = seen.map((one) => (hasMetrics ? count(one) : one.processing));
			let asked = 0;
			let isUnloaded = false;
			const next = () => seen[Math.min(asked++, seen.length - 1)]!;
			const metrics: Answer = (_request, response) => {
				if (!hasMetrics) {
					json({ error: { message: 'This server does not support metrics' } }, 501)(
						_request,
						response,
					);
					return;
				}
				const { processing, deferred } = next();
				const lines = [
					`llamacpp:requests_processing ${processing}`,
					...(deferred === undefined ? [] : [`llamacpp:requests_deferred ${deferred}`]),
				];
				response.end(`${lines.join('\n')}\n`);
			};
			const server = await start({
				'GET /v1/models': (request, response) => {
					response.setHeader('server', LLAMA.server);
					const status = { value: isUnloaded ? 'unloaded' : 'loaded' };
					json(list({ id: 'a', owned_by: 'llamacpp', status }))(request, response);
				},
				'GET /metrics': metrics,
				'GET /slots': (request, response) => {
					const { processing } = next();
					const slots = [0, 1].map((at) => ({ is_processing: at < processing }));
					json(slots)(request, response);
				},
				'POST /models/unload': (request, response) => {
					isUnloaded = true;
					json({ success: true })(request, response);
				},
			});
			const outcome = await runModelAction(
				createModelServer({ baseUrl: server.url }, NO_EXECUTION),
				'unload',
				{
					model: 'a',
					wait,
					timeoutMs: 60_000,
					// Half a second between two looks is long for a test.
					...{ pauseMs: 1 },
				},
			).then(
				({ state }) => state,
				({ type }: { type: string }) => type,
			);
			const isBusy = counts[0]! > 0;
			expect(outcome).toBe(isBusy && !wait ? 'busy' : 'unloaded');
			// Not before nothing runs any more.
			const looksNeeded = wait ? counts.indexOf(0) + 1 : 1;
			expect([asked, isUnloaded]).toEqual([looksNeeded, outcome === 'unloaded']);
		}),
		examples(60),
	);
});
