import type { INodeProperties } from 'n8n-workflow';
import {
	booleanField,
	choiceField,
	choices,
	choicesField,
	optionsCollection,
	stringField,
} from '../shared/field-kinds';

const event = choiceField('Event', 'event', 'feedback', {
	noDataExpression: true,
	options: choices({
		feedback: [
			'Feedback Given',
			'A user, or your team in Dify, has rated an answer of the app, or changed a rating',
		],
		workflowRun: [
			'Workflow Run Finished',
			'A run of a workflow app has ended, whoever started it. For apps of the type workflow.',
		],
	}),
});

const forFeedback = { show: { event: ['feedback'] } };
const forRuns = { show: { event: ['workflowRun'] } };

const rating = choiceField('Rating', 'rating', 'any', {
	displayOptions: forFeedback,
	options: choices({
		any: 'Any',
		dislike: 'Dislike',
		like: 'Like',
	}),
	description: 'Which ratings start the workflow',
});

const statuses = choicesField('Ended As', 'statuses', {
	default: ['failed', 'partial-succeeded', 'stopped', 'succeeded'],
	displayOptions: forRuns,
	options: choices({
		failed: 'Failed',
		'partial-succeeded': 'Partly Succeeded',
		stopped: 'Stopped',
		succeeded: 'Succeeded',
	}),
	description: 'Which runs start the workflow',
});

const options: INodeProperties = optionsCollection([
	booleanField('Changed Ratings', 'changed', true, {
		displayOptions: { show: { '/event': ['feedback'] } },
		description:
			'Whether a rating that was changed starts the workflow again, such as a text that came later. Without this option: yes. Noticed among the newest 100.',
	}),
	choiceField('From', 'source', 'user', {
		displayOptions: { show: { '/event': ['feedback'] } },
		options: choices({
			admin: 'Team in Dify',
			user: 'Users of the App',
		}),
		description: 'Whose ratings start the workflow. Without this option: all.',
	}),
	booleanField('Inputs and Outputs', 'withOutputs', true, {
		displayOptions: { show: { '/event': ['workflowRun'] } },
		description:
			'Whether to fetch what went into each run and came out of it, with one request for each. Without this option: yes.',
	}),
	stringField('User', 'user', {
		displayOptions: { show: { '/event': ['workflowRun'] } },
		description: 'Only runs of this user of the app. Without this option: of all.',
	}),
]);

export const properties: INodeProperties[] = [event, rating, statuses, options];
