/** Tools as MCP servers of offices have them. */

const THINGS = [
	['invoice', 'an invoice', 'the accounting'],
	['contract', 'a contract', 'the archive of the legal team'],
	['ticket', 'a support ticket', 'the help desk'],
	['employee', 'the record of an employee', 'the personnel files'],
	['vacation', 'a request for vacation', 'the personnel files'],
	['repository', 'a repository', 'the source control'],
	['pull_request', 'a pull request', 'the source control'],
	['server', 'a virtual machine', 'the data centre'],
	['backup', 'a backup', 'the data centre'],
	['campaign', 'an advertising campaign', 'the marketing suite'],
	['survey', 'a survey', 'the marketing suite'],
	['shipment', 'a shipment', 'the warehouse'],
	['supplier', 'the record of a supplier', 'the purchasing'],
	['meeting', 'a meeting with its participants', 'the shared calendar'],
	['course', 'a training course', 'the learning platform'],
];

const ACTIONS = [
	['find', 'Searches', 'by any words and returns the best matches', 'query'],
	['get', 'Reads all fields of', 'by its number', 'id'],
	['update', 'Changes fields of', 'and keeps the former values in its history', 'id'],
	['archive', 'Moves', 'out of all lists, from where it can be restored', 'id'],
	['export', 'Writes', 'into a spreadsheet and returns its link', 'format'],
	['approve', 'Approves', 'in the name of the current user', 'id'],
	['comment_on', 'Adds a remark to', 'which all participants can see', 'remark'],
	['assign', 'Makes somebody responsible for', 'and notifies that person', 'assignee'],
];

/**
 * @param {number} count up to 120
 * @returns {{ name: string, description: string, parameters: object }[]}
 */
export const otherTools = (count) =>
	ACTIONS.flatMap(([action, does, how, field = '']) =>
		THINGS.map(([thing, aThing, place]) => ({
			name: `${action}_${thing}`,
			description: `${does} ${aThing} in ${place} ${how}`,
			parameters: {
				type: 'object',
				properties: {
					[field]: { type: 'string', description: `The ${field} of ${aThing}` },
					limit: { type: 'integer', description: 'Most results' },
				},
				required: [field],
			},
		})),
	).slice(0, count);
