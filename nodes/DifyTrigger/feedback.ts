import { listFeedback } from '../../lib/dify/app/feedback';
import { newFeedback, type FeedbackMemory } from '../../lib/dify/app/new-feedback';
import type { WatchedEvent } from './event';

const SHOWN = 3;

/** New ratings of the app's answers. */
export const feedback: WatchedEvent = {
	async news({ client, parameters }, memory) {
		const rating = parameters.choice('rating');
		const source = parameters.choice('options.source', undefined);
		const withChanged = parameters.flag('options.changed', true);
		const { memory: next, found } = await newFeedback(client, memory as FeedbackMemory | undefined);
		const items = found
			.filter(({ isNew }) => isNew || withChanged)
			.filter(({ feedback: given }) => rating === 'any' || given.rating === rating)
			.filter(({ feedback: given }) => source === undefined || given.from_source === source)
			.map(({ feedback: given, isNew }) => ({ event: 'feedback', isNew, ...given }));
		return { memory: next, items };
	},

	async examples({ client }) {
		const found = await listFeedback(client, SHOWN);
		return found.map((given) => ({ event: 'feedback', isNew: true, ...given }));
	},
};
