import { AppApi } from '../../lib/dify/app/api';
import { newFeedback, type FeedbackMemory } from '../../lib/dify/app/new-feedback';
import { appRoutes } from '../../lib/dify/app/routes';
import type { DifyClient } from '../../lib/dify/client';
import type { JsonRecord } from '../../lib/values';
import type { NodeParameters } from '../shared/parameters';

/** How many examples the editor gets. */
const SHOWN = 3;

/** Among so many of the newest ones examples are looked for. */
const LOOKED_AT = 100;

/**
 * Ratings since the last poll, oldest first. None without a memory, at the first poll.
 *
 * @param memory as returned by the last poll
 */
export async function feedbackNews(
	client: DifyClient,
	parameters: NodeParameters,
	memory: unknown,
): Promise<{ memory: FeedbackMemory; items: object[] }> {
	const isWanted = wantedBy(parameters);
	const withChanged = parameters.flag('options.changed', true);
	const { memory: next, found } = await newFeedback(client, memory as FeedbackMemory | undefined);
	const items = found
		.filter(({ isNew }) => isNew || withChanged)
		.filter(({ feedback: given }) => isWanted(given))
		.map(({ feedback: given, isNew }) => ({ event: 'feedback', isNew, ...given }));
	return { memory: next, items };
}

/** The newest ratings that would start the workflow, oldest first, as test data for building it. */
export async function feedbackExamples(
	client: DifyClient,
	parameters: NodeParameters,
): Promise<object[]> {
	const newest = await new AppApi(client).list(appRoutes.feedback, {}, LOOKED_AT);
	return newest
		.filter(wantedBy(parameters))
		.slice(0, SHOWN)
		.reverse()
		.map((record) => ({ event: 'feedback', isNew: true, ...record }));
}

function wantedBy(parameters: NodeParameters): (given: JsonRecord) => boolean {
	const rating = parameters.choice('rating');
	const source = parameters.choice('options.source', undefined);
	return (given) =>
		(rating === 'any' || given.rating === rating) &&
		(source === undefined || given.from_source === source);
}
