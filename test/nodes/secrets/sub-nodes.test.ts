import { testOtherNodes } from './rig';

testOtherNodes(['key', 'headerValue', 'headerName', 'cookie', 'difyKey']);
