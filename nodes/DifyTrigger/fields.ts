/** Fields of Dify Trigger. */
import type { FieldTable } from '../../lib/fields/field';
import { optionsField } from '../shared/fields/options-field';

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
