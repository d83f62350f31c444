import { AppApi } from '../../lib/dify/app/api';
import { newFeedback, type FeedbackMemory } from '../../lib/dify/app/new-feedback';
import { appRoutes } from '../../lib/dify/app/routes';
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
		const newest = await new AppApi(client).list(appRoutes.feedback, {}, SHOWN);
		return newest.reverse().map((record) => ({ event: 'feedback', isNew: true, ...record }));
	},
};
