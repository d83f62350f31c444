/** Room for requests: slots, queue, context, GPU. */
import { gpuShares } from '../server-facts';
import { advise } from './finding';
import type { Evidence, Rules } from './rules';

/** Tokens. Tools, memory and system prompt of an agent rarely take less (docs/protocols/llama-server.md 9.3). */
const SMALL_CONTEXT = 8_192;
/** Less of a model in the memory of the GPU is reported. */
const WHOLE = 0.99;

export const CAPACITY_RULES: Rules = {
	moreRequestsThanSlots: ({ observations: { maxConcurrentRequests }, facts: { slots } }) => {
		if (slots.total === null || maxConcurrentRequests <= slots.total) return undefined;
		const observed = `/props says total_slots ${slots.total}; the credential says ${maxConcurrentRequests} requests at once`;
		return advise('moreRequestsThanSlots', observed, {
			slots: slots.total,
			required: maxConcurrentRequests,
		});
	},

	queued: ({ facts: { queue, slots } }) => {
		if (queue === null || queue === 0) return undefined;
		const observed = `/metrics says ${queue} waiting, ${slots.busy ?? 'unknown'} running`;
		return advise('queued', observed, { count: queue, slots: slots.total ?? undefined });
	},

	contextSmall: (evidence) => {
		const { contextPerSlot: context, slots } = evidence.facts;
		const { minContext } = evidence.observations.expectations;
		const isSmall = context !== null && context < SMALL_CONTEXT;
		if (!isSmall || minContext !== undefined || !isForChats(evidence)) return undefined;
		const place = slots.total === null ? '' : ` in each of ${slots.total} slots`;
		return advise('contextSmall', `/props says n_ctx ${context}${place}`, {
			slots: slots.total ?? undefined,
			context,
			server: evidence.kindName,
		});
	},

	partlyOnCpu: ({ observations }) =>
		gpuShares(observations)
			.filter(({ share }) => share < WHOLE)
			.map(({ id, share }) => {
				const percent = Math.round(share * 100);
				const observed = `/api/ps says that ${percent} % of ${id} lie in the memory of the GPU`;
				return advise('partlyOnCpu', observed, { model: id, percent });
			}),

	metricsOff: ({ kind, facts }) =>
		kind.health.reports === 'server' && facts.features.metrics === false
			? advise('metricsOff', '/metrics is switched off')
			: undefined,
};

/** Embedding and reranker models have short contexts by nature. */
function isForChats({ facts: { features, models } }: Evidence): boolean {
	return features.embeddings !== true && !models.every(({ embeddings }) => embeddings === true);
}
