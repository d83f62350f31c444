/** Where each server type gets the requests of each task: the paths in their order, and how events are separated. */
import path from 'node:path';
import { ROUTES, getRoutes } from '../../../lib/exchange/routes';
import { SERVER_TYPES } from '../../../lib/servers/types';
import { expectApproved, joinPlaces } from '../../support/approved/approved-table';

const TASKS = ['chat', 'complete', 'embed', 'rerank'] as const;

test('each server type has its routes for each task', () => {
	const ofTasks = Object.values(SERVER_TYPES).flatMap((serverType) =>
		TASKS.map((task) => ({
			subject: task,
			place: serverType.name,
			outcome: getRoutes(serverType, task).join(', '),
		})),
	);
	const all = Object.entries(ROUTES).map(([input, outcome]) => ({ input, outcome }));
	expectApproved(
		path.join(__dirname, 'routes.approved.txt'),
		[...all, ...joinPlaces(ofTasks)],
		'A task goes to the routes of its server type, best first',
	);
});
