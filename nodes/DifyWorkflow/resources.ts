import { resourceTable } from '../shared/run/operations';
import { formGet } from './form/get';
import { formSubmit } from './form/submit';
import { runExecute } from './run/execute';
import { runFollow } from './run/follow';
import { runGet } from './run/get';
import { runGetAll } from './run/get-all';
import { runStop } from './run/stop';

/** What the node can do. */
export const operations = resourceTable([
	{
		option: { name: 'Run', value: 'run' },
		operations: [runExecute, runGet, runFollow, runGetAll, runStop],
	},
	{
		option: { name: 'Form', value: 'form', description: 'What a run that waits for a person asks' },
		operations: [formSubmit, formGet],
	},
]);
