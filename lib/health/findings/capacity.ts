import { kindOfServer } from '../answers';
import { gpuShares } from '../server-facts';
import { advise, type FindingWithStatus } from './finding';
import type { Observations, ServerReport } from '../observations';

/** Tokens. Tools, memory and system prompt of an agent rarely take less (docs/protocols/llama-server.md 9.3). */
const SMALL_CONTEXT = 8_192;

/** Room for requests: slots, queue, context, GPU. */
export function capacityFindings(
	observations: Observations,
	report: ServerReport,
): FindingWithStatus[] {
	const { expectations, maxConcurrentRequests } = observations;
	const { queue, contextPerSlot, features, server } = report;
	const slots = report.slots.total;
	const findings: FindingWithStatus[] = [];
	const known = { slots: slots ?? undefined };
	if (slots !== null && maxConcurrentRequests > slots) {
		const observed = `/props says total_slots ${slots}; the credential says ${maxConcurrentRequests} requests at once`;
		findings.push(
			advise('moreRequestsThanSlots', observed, { ...known, wanted: maxConcurrentRequests }),
		);
	}
	if (queue !== null && queue > 0)
		findings.push(
			advise(
				'queued',
				`/metrics says ${queue} waiting, ${report.slots.busy ?? 'unknown'} running`,
				{
					...known,
					count: queue,
				},
			),
		);
	const isForChats =
		features.embeddings !== true && !report.models.every(({ embeddings }) => embeddings === true);
	const isSmall = contextPerSlot !== null && contextPerSlot < SMALL_CONTEXT;
	if (isSmall && isForChats && expectations.minContext === undefined)
		findings.push(
			advise(
				'contextSmall',
				`/props says n_ctx ${contextPerSlot}${slots === null ? '' : ` in each of ${slots} slots`}`,
				{ ...known, context: contextPerSlot, server: server.kind },
			),
		);
	for (const { id, share } of gpuShares(observations).filter((model) => model.share < 0.99)) {
		const percent = Math.round(share * 100);
		findings.push(
			advise(
				'partlyOnCpu',
				`/api/ps says that ${percent} % of ${id} lie in the memory of the GPU`,
				{
					model: id,
					percent,
				},
			),
		);
	}
	if (kindOfServer(server.kind).llamaApi === 'oneModel' && features.metrics === false)
		findings.push(advise('metricsOff', '/metrics is switched off'));
	return findings;
}
