import { useQuery } from "@tanstack/react-query";
import { Link, useParams } from "@tanstack/react-router";
import { ArrowLeft } from "lucide-react";
import { organisationProductionsQuery } from "../../api/queries";
import { buttonClass } from "../../components/controls";
import { m } from "../../messages";
import { useTitle } from "../../shell/title";
import { Members } from "../Members";
import page from "../page.module.css";

export function ProductionMembers() {
  const { organisationId, productionId } = useParams({ from: "/app/administration/$organisationId/productions/$productionId" });
  const { data } = useQuery(organisationProductionsQuery(organisationId));
  const name = data?.find(({ id }) => id === productionId)?.name ?? "…";
  useTitle(m.administration.membersOf(name));
  return (
    <div className={page.content}>
      <div>
        <Link className={buttonClass("quiet", { dense: true })} to="/administration/$organisationId/productions" params={{ organisationId }}>
          <ArrowLeft size={16} aria-hidden />
          {m.administration.productions}
        </Link>
      </div>
      <Members productionId={productionId} organisationId={organisationId} title={m.administration.membersOf(name)} administers />
    </div>
  );
}
