import { AppApi } from '../../lib/dify/app/api';
import { newFeedback, type FeedbackMemory } from '../../lib/dify/app/new-feedback';
import { appRoutes } from '../../lib/dify/app/routes';
import type { JsonRecord } from '../../lib/values';
import type { NodeParameters } from '../shared/parameters';
import { SHOWN, type WatchedEvent } from './event';

/** Among so many of the newest ones examples are looked for. */
const LOOKED_AT = 100;

/** New ratings of the app's answers. */
export const feedback: WatchedEvent = {
	async news({ client, parameters }, memory) {
		const isWanted = wantedBy(parameters);
		const withChanged = parameters.flag('options.changed', true);
		const { memory: next, found } = await newFeedback(client, memory as FeedbackMemory | undefined);
		const items = found
			.filter(({ isNew }) => isNew || withChanged)
			.filter(({ feedback: given }) => isWanted(given))
			.map(({ feedback: given, isNew }) => ({ event: 'feedback', isNew, ...given }));
		return { memory: next, items };
	},

	async examples({ client, parameters }) {
		const newest = await new AppApi(client).list(appRoutes.feedback, {}, LOOKED_AT);
		return newest
			.filter(wantedBy(parameters))
			.slice(0, SHOWN)
			.reverse()
			.map((record) => ({ event: 'feedback', isNew: true, ...record }));
	},
};

function wantedBy(parameters: NodeParameters): (given: JsonRecord) => boolean {
	const rating = parameters.choice('rating');
	const source = parameters.choice('options.source', undefined);
	return (given) =>
		(rating === 'any' || given.rating === rating) &&
		(source === undefined || given.from_source === source);
}
