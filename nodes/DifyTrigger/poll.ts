/** Polls Dify for new ratings. */
import type { IDataObject, INodeExecutionData, IPollFunctions } from 'n8n-workflow';
import { FEEDBACK_LIST } from '../../lib/dify/app';
import { fetchPage } from '../../lib/dify/pages';
import type { DifyClient } from '../../lib/dify/client';
import { openDifyClient } from '../../lib/dify/credentials';
import type { JsonRecord } from '../../lib/values/records';
import { toDifyNodeError } from '../shared/dify/dify-node-error';
import { toPollError } from '../shared/run/shown-error';
import { NodeParameters } from '../shared/parameters';
import { properties } from './fields';
import type { Rating } from './feedback';
import { fetchNewFeedback, parseFeedbackState } from './feedback';

/** Whether a rating starts the workflow. */
type RatingFilter = (feedback: JsonRecord) => boolean;

/** Max items of a manual test. */
const MAX_TEST_ITEMS = 3;

/** Nodes that are currently polling. */
const pollingNodes = new Set<string>();

/**
 * Polls the app once. The state is stored only after everything was read, so the next poll repeats a failed one. n8n
 * stores it with the workflow that it starts. n8n may start a poll while another one runs: it is skipped, since both
 * would return the same ratings.
 *
 * @returns one item per rating, oldest first; null if there is none
 */
export async function pollDify(context: IPollFunctions): Promise<INodeExecutionData[][] | null> {
	try {
		const parameters = NodeParameters.ofPoll(context, properties);
		const client = await openDifyClient(context, 'app');
		const matchesFilter = createRatingFilter(parameters);
		// Read before a test as well, which shows what is wrong with it.
		const withChanged = parameters.boolean('options.changed', true);
		if (context.getMode() === 'manual') return await fetchExamples(client, matchesFilter);
		const node = `${context.getWorkflow().id}/${context.getNode().id}`;
		if (pollingNodes.has(node)) return null;
		pollingNodes.add(node);
		try {
			const stored = context.getWorkflowStaticData('node');
			const lastState = parseFeedbackState(stored.feedback);
			const { ratings, state } = await fetchNewFeedback(client, lastState);
			const selected = ratings.filter(
				(rating) => (rating.isNew || withChanged) && matchesFilter(rating.feedback),
			);
			stored.feedback = { ...state };
			return toOutput(selected);
		} finally {
			pollingNodes.delete(node);
		}
	} catch (error) {
		throw toPollError(toDifyNodeError(context.getNode(), error));
	}
}

/** The newest ratings, for a test in the editor. */
async function fetchExamples(client: DifyClient, matchesFilter: RatingFilter) {
	const { records } = await fetchPage(client, FEEDBACK_LIST);
	const examples = records.filter(matchesFilter).slice(0, MAX_TEST_ITEMS).reverse();
	return toOutput(examples.map((feedback) => ({ feedback, isNew: true })));
}

function createRatingFilter(parameters: NodeParameters): RatingFilter {
	const rating = parameters.choice('rating');
	const source = parameters.choice('options.source', undefined);
	return (feedback) =>
		(rating === 'any' || feedback.rating === rating) &&
		(source === undefined || feedback.from_source === source);
}

function toOutput(ratings: readonly Rating[]): INodeExecutionData[][] | null {
	if (ratings.length === 0) return null;
	return [ratings.map(({ feedback, isNew }) => ({ json: toEvent(feedback, isNew) }))];
}

/** The trigger's own fields come first, and no field of Dify replaces them. */
function toEvent(feedback: JsonRecord, isNew: boolean) {
	const ownFields = { event: 'feedback', isNew };
	return { ...ownFields, ...feedback, ...ownFields } as IDataObject;
}
