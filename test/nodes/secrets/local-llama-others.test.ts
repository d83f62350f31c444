import { MODEL_SECRETS, testNodes, TEXT_RESOURCES } from './leak-runner';

testNodes(
	['LocalLlama'],
	MODEL_SECRETS,
	({ parameters }) => !TEXT_RESOURCES.includes(String(parameters.resource)),
);
