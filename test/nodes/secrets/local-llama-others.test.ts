import { MODEL_SECRETS, testNodes, TEXT_RESOURCES } from './rig';

testNodes(
	['LocalLlama'],
	MODEL_SECRETS,
	({ parameters }) => !TEXT_RESOURCES.includes(String(parameters.resource)),
);
