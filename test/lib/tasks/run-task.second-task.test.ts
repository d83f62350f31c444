/** What one task taught meets another task of the same server and model. */
import { omitRejectedField } from '../../../lib/exchange/omit-rejected-field';
import { ROUTES } from '../../../lib/exchange/routes';
import { createModelServer } from '../../../lib/servers/endpoint';
import type { RouteName } from '../../../lib/servers/types/server-type';
import { runTask } from '../../../lib/tasks/run-task';
import type { JsonRecord } from '../../../lib/values/records';
import { transport } from '../exchange/scripted-transport';
import { OPTIONS } from './media';
import { NO_EXECUTION } from '../../support/n8n/node-host';

jest.mock('../../../lib/http/send-request', () =>
	jest.requireActual<object>('../exchange/scripted-transport'),
);

const ROUTE_NAMES = Object.keys(ROUTES) as RouteName[];
const FIELD = { field: 'response_format', label: 'Format', canOmit: true };
const BODY: JsonRecord = { input: 'Hi', response_format: 'wav' };

const getPath = (route: RouteName) => {
	const { base, path } = ROUTES[route];
	return base === 'api' ? `/v1${path}` : path;
};

/** The bodies of a task of one route, at a server where only another one rejects the field. */
async function run(baseUrl: string, route: RouteName, strictRoute: RouteName) {
	transport.sent = [];
	transport.reply = ({ url, body }) =>
		url === baseUrl + getPath(strictRoute) && FIELD.field in body
			? { type: 'rejected', message: `Unknown parameter: '${FIELD.field}'` }
			: { type: 'usable' };
	const host = { ...NO_EXECUTION, getExecutionId: () => 'one execution' };
	const server = createModelServer({ baseUrl, maxConcurrentRequests: 1 }, host);
	await runTask(
		server,
		{ ...OPTIONS, model: 'm' },
		{
			task: 'generateImages',
			routes: [route],
			fields: [FIELD],
			toBody: () => BODY,
			adaptations: { field: [omitRejectedField({ rows: [FIELD] })] },
			readResponse: async (response) => await response.text(),
		},
	);
	return transport.sent.map(({ body }) => body);
}

test.each(ROUTE_NAMES)('a field that %s rejects is sent to all others', async (first) => {
	const withoutField: RouteName[] = [];
	for (const second of ROUTE_NAMES) {
		const baseUrl = `http://model.test/${first}-${second}`;
		expect(await run(baseUrl, first, first)).toHaveLength(2);
		const [body] = await run(baseUrl, second, first);
		if (!(FIELD.field in body!)) withoutField.push(second);
	}
	expect(withoutField).toEqual([first]);
});
