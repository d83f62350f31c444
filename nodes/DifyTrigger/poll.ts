/** Polls Dify for new ratings. */
import type { IDataObject, INodeExecutionData, IPollFunctions } from 'n8n-workflow';
import { FEEDBACK_LIST } from '../../lib/dify/app';
import { fetchPage } from '../../lib/dify/pages';
import type { DifyClient } from '../../lib/dify/client';
import { openDifyClient } from '../../lib/dify/credentials';
import type { Values, FieldTable } from '../../lib/fields/field';
import type { JsonRecord } from '../../lib/values/records';
import { toDifyNodeError } from '../shared/dify/dify-node-error';
import { toPollError } from '../../lib/n8n/shown-error';
import { ItemSource } from '../shared/fields/item-source';
import { readValues } from '../shared/fields/read-values';
import type { Rating } from './feedback';
import { fetchNewFeedback, parseFeedbackState } from './feedback';
import { optionsField } from '../shared/fields/options-field';

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
		const values = readValues(ItemSource.ofPoll(context), fields);
		const client = await openDifyClient(context, 'app');
		const matchesFilter = createRatingFilter(values);
		// Read before a test as well, which shows what is wrong with it.
		const { changed: withChanged = true } = values.options;
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

function createRatingFilter({ rating, options }: Values<typeof fields>): RatingFilter {
	const { source } = options;
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

/** Fields of Dify Trigger. */
export const fields = {
	// n8n lists the options of a field with this label as the actions of a trigger.
	rating: {
		kind: 'choice',
		label: 'Trigger On',
		default: 'any',
		choices: {
			any: { name: 'Any Rating', action: 'When a message is rated' },
			dislike: { name: 'Dislike', action: 'When a message is disliked' },
			like: { name: 'Like', action: 'When a message is liked' },
		},
	},
	options: optionsField({
		changed: {
			kind: 'switch',
			label: 'Include Changed Ratings',
			default: true,
			description:
				'Whether a changed rating, such as a comment added later, starts the workflow again. On if not set. Detected among the newest 100 ratings.',
		},
		source: {
			kind: 'choice',
			label: 'From',
			default: 'user',
			choices: { admin: 'Team in Dify', user: 'App Users' },
			description: 'Whose ratings start the workflow. If not set, all ratings do.',
		},
	}),
} as const satisfies FieldTable;
