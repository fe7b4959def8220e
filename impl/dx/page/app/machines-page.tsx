/** The machines. */
export function MachinesPage() {
  return <h1>Machines</h1>;
}
