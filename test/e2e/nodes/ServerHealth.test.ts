/** Every operation of Server Health, as a person sees it in the editor. */
import { describeScreens } from '../support/describe-screens';

describeScreens('serverHealth', {
	'Server Health dify check': { asAdded: 'status', result: 'status', isRefusalResult: true },
	'Server Health dify report': {
		asAdded: 'server-health.html',
		result: 'server-health.html',
		isFile: true,
		isRefusalResult: true,
	},
	'Server Health dify waitUntilReady': {
		asAdded: 'status',
		result: 'status',
		isRefusalResult: true,
	},
	'Server Health modelServer check': {
		asAdded: 'llama-server responds',
		result: 'llama-server responds',
		isRefusalResult: true,
	},
	'Server Health modelServer speedTest': {
		asAdded: 'a-model',
		result: 'a-model',
		isRefusalResult: true,
	},
	'Server Health modelServer toolTest': {
		asAdded: 'a-model',
		result: 'a-model',
		isRefusalResult: true,
	},
	'Server Health modelServer report': {
		asAdded: 'server-health.html',
		result: 'server-health.html',
		isFile: true,
		isRefusalResult: true,
	},
	'Server Health modelServer waitUntilReady': {
		asAdded: 'llama-server responds',
		result: 'llama-server responds',
		isRefusalResult: true,
	},
});
