import { testNodes, withExecute } from './leak-runner';

testNodes(
	withExecute.filter((name) => name.startsWith('Dify')),
	['difyKey'],
);
